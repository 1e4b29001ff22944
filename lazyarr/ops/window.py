"""Boxes whose place or size is data, and the other operations that make values of run-time length."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lazyarr.ir import extents
from lazyarr.ir.access import OPAQUE, WHOLE, Along, AxisAccess, OperandAccess
from lazyarr.ir.extents import Extent, Length, Shape
from lazyarr.ir.node import Value
from lazyarr.ir.op import Cost, Op, Sample
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ops import xla_lengths, xla_windows
from lazyarr.ops.shape import same_extent, show_shape

_I64 = ArrayType(DTYPES["i64"])
#: One axis of a window; see `WINDOW`.
Dim = tuple[Any, ...]
Dims = tuple[Dim, ...]


def operands_of(dims: Dims) -> int:
    """How many scalar operands a window takes."""
    return sum({"all": 0, "index": 1, "block": 1, "slice": 2}[d[0]] for d in dims)


def window_shape(x: Shape, dims: Dims, scalars: tuple[Value, ...]) -> Shape:
    """The shape of a window of an array of shape `x`.

    Raises
    ------
    TypeError, ValueError
        If the description does not fit.
    """
    if len(dims) != len(x):
        raise ValueError(f"a window of {len(x)} axes is described by {len(dims)} entries")
    if len(scalars) != operands_of(dims) or any(s.type != _I64 for s in scalars):
        raise TypeError(f"a window by {dims} takes {operands_of(dims)} i64[], got "
                        f"{', '.join(str(s.type) for s in scalars)}")  # fmt: skip
    shape: list[Extent] = []
    at = 0
    for n, dim in zip(x, dims, strict=True):
        if dim[0] == "all":
            shape.append(n)
            continue
        at += 1
        if dim[0] == "block":
            shape.append(dim[1])
        elif dim[0] == "slice":
            shape.append(Length(scalars[at], extents.bound(n)))
            at += 1
    return tuple(shape)


def window_key(dims: Dims, scalars: tuple[Any, ...]) -> tuple[Any, ...]:
    """The NumPy index that a window stands for."""
    key: list[Any] = []
    values = iter(scalars)
    for dim in dims:
        if dim[0] == "all":
            key.append(slice(None))
            continue
        start = int(next(values))
        if dim[0] == "index":
            key.append(start)
            continue
        length = dim[1] if dim[0] == "block" else int(next(values))
        step = dim[-1]
        stop = start + length * step
        key.append(slice(start, None if stop < 0 else stop, step) if length else slice(0, 0))
    return tuple(key)


def _infer_window(x: Value, *scalars: Value, dims: Dims) -> ArrayType:
    return x.type.with_shape(window_shape(x.type.shape, dims, scalars))


def _infer_put_window(x: Value, value: Value, *scalars: Value, dims: Dims) -> ArrayType:
    shape = window_shape(x.type.shape, dims, scalars)
    given = value.type
    if given.dtype != x.type.dtype or given.ndim != len(shape) or not all(map(same_extent, given.shape, shape)):
        raise TypeError(f"put_window replaces a window {x.type.with_shape(shape)}, got {given}")
    return x.type


def _put_window(xp: Any, x: Any, value: Any, *scalars: Any, dims: Dims) -> Any:
    result = np.array(x)
    _into_window(result, value, *scalars, dims=dims)
    return result


def _into_window(x: Any, value: Any, *scalars: Any, dims: Dims) -> None:
    x[(*window_key(dims, scalars), ...)] = value


def _access_window(x: ArrayType, *scalars: ArrayType, dims: Dims) -> tuple[OperandAccess, ...]:
    found: list[AxisAccess] = []
    at = 0
    for dim in dims:
        found.append(Along(at) if dim[0] == "all" else OPAQUE)
        at += dim[0] != "index"
    return (tuple(found), *[()] * len(scalars))


def _access_put_window(x: ArrayType, value: ArrayType, *scalars: ArrayType, dims: Dims) -> tuple[OperandAccess, ...]:
    written: list[AxisAccess] = [Along(at) if dim[0] == "all" else OPAQUE
                                 for at, dim in enumerate(dims) if dim[0] != "index"]  # fmt: skip
    return (tuple(Along(axis) for axis in range(x.ndim)), tuple(written), *[()] * len(scalars))


def _window_bytes(x: ArrayType, dims: Dims) -> int:
    size = x.dtype.itemsize
    for n, dim in zip(x.shape, dims, strict=True):
        size *= 1 if dim[0] == "index" else dim[1] if dim[0] == "block" else n
    return size


_CASES: list[tuple[tuple[int, ...], Dims, tuple[int, ...]]] = [
    ((7,), (("index",),), (3,)),
    ((7,), (("slice", 1),), (2, 4)),
    ((7,), (("slice", -1),), (5, 6)),
    ((7,), (("slice", 2),), (1, 3)),
    ((7,), (("slice", 1),), (7, 0)),
    ((7,), (("block", 3, 1),), (4,)),
    ((4, 5), (("index",), ("slice", 1)), (2, 0, 3)),
    ((4, 5), (("all",), ("index",)), (4,)),
    ((4, 5), (("slice", -1), ("block", 2, -2)), (3, 4, 3)),
    ((2, 3, 4), (("index",), ("all",), ("slice", 1)), (1, 1, 2)),
]


def _samples(put: bool) -> Iterator[Sample]:
    for k, (shape, dims, scalars) in enumerate(_CASES):
        name = ("f64", "f32", "i64", "bool", "c128")[k % 5]
        taken = np.empty(shape)[window_key(dims, scalars)].shape
        types = [f"{name}{list(shape)}".replace(" ", "")]
        static = not any(dim[0] == "slice" for dim in dims)
        if put:
            if not static:
                continue  # The value would have a run-time length; tested in loops.
            types.append(f"{name}{list(taken)}".replace(" ", ""))

        def make(rng: Any, shape: Any = shape, taken: Any = taken, scalars: Any = scalars, name: Any = name) -> Any:
            arrays = [rng.integers(0, 5, s).astype(DTYPES[name]) for s in ((shape, taken) if put else (shape,))]
            return (*arrays, *map(np.int64, scalars))

        yield Sample((*types, *["i64[]"] * len(scalars)), {"dims": dims}, make=make)


#: A box of `x` whose place is data. `dims` has one entry an axis: ``("all",)`` keeps it; ``("index",)`` takes one
#: position, an operand, and drops the axis; ``("block", length, step)`` takes `length` elements from a start, an
#: operand; ``("slice", step)`` takes a start and a length, both operands. Always in range: whoever records it has
#: checked.
WINDOW = Op(
    name="window",
    numpy="x[i, j:k]",
    infer=_infer_window,
    evaluate=lambda xp, x, *scalars, dims: x[window_key(dims, scalars)],
    jax=xla_windows.window,
    access=_access_window,
    pointwise=False,
    memory="view",
    cost=lambda x, *scalars, dims: Cost(0, 2 * _window_bytes(x, dims)),
    backends=("native", "xla", "numpy"),
    samples=lambda: _samples(False),
    padded=xla_lengths.untouched,
    dependent=True,
    checked=True,
    part="same",
)

#: `x` with a window of it replaced.
PUT_WINDOW = Op(
    name="put_window",
    numpy="x[i, j:k] = value",
    infer=_infer_put_window,
    evaluate=_put_window,
    jax=xla_windows.put_window,
    access=_access_put_window,
    pointwise=False,
    memory="fresh",
    cost=lambda x, value, *scalars, dims: Cost(0, x.nbytes + 2 * value.nbytes),
    backends=("native", "xla", "numpy"),
    samples=lambda: _samples(True),
    padded=xla_lengths.untouched,
    dependent=True,
    checked=True,
    part="same",
    into=_into_window,
)

def _array_and(n: int) -> Callable[[Any], tuple[Any, ...]]:
    return lambda rng: (rng.random(3), np.int64(n))


def _number(n: int) -> Callable[[Any], tuple[Any, ...]]:
    return lambda rng: (np.int64(n),)


# --- spread, count, expand, as_extents -------------------------------------------------------------------


def _spread_shape(shape: tuple[Any, ...], lengths: tuple[Value, ...], bounds: tuple[int, ...]) -> Shape:
    if len(lengths) != shape.count("n") or len(bounds) != len(lengths):
        raise TypeError(f"a shape {shape} takes {shape.count('n')} lengths, got {len(lengths)}")
    given = iter(zip(lengths, bounds, strict=True))
    return tuple(Length(*next(given)) if n == "n" else n for n in shape)


def _infer_spread(x: Value, *lengths: Value, shape: tuple[Any, ...], bounds: tuple[int, ...]) -> ArrayType:
    result = _spread_shape(shape, lengths, bounds)
    if extents.broadcast(x.type.shape, result) != result:
        raise ValueError(f"cannot broadcast {x.type} to {show_shape(result)}")
    return ArrayType(x.type.dtype, result)


def _evaluate_spread(xp: Any, x: Any, *lengths: Any, shape: tuple[Any, ...], bounds: tuple[int, ...]) -> Any:
    given = iter(lengths)
    return np.broadcast_to(x, tuple(int(next(given)) if n == "n" else n for n in shape))


#: `x` repeated to a shape; each ``"n"`` in it is the next length operand, at most the next of `bounds`.
SPREAD = Op(
    name="spread",
    numpy="numpy.broadcast_to(x, shape)",
    infer=_infer_spread,
    evaluate=_evaluate_spread,
    jax=xla_windows.spread,
    access=lambda x, *lengths, shape, bounds: (
        tuple(WHOLE if n == 1 else Along(len(shape) - x.ndim + k) for k, n in enumerate(x.shape)),
        *[()] * len(lengths),
    ),
    pointwise=False,
    memory="view",
    cost=lambda x, *lengths, shape, bounds: Cost(0, 0),
    backends=("native", "xla", "numpy"),
    samples=lambda: (
        Sample(("f64[3]", "i64[]"), {"shape": ("n", 3), "bounds": (5,)}, make=_array_and(n)) for n in (0, 4)
    ),
    padded=xla_lengths.untouched,
    dependent=True,
    checked=True,
)

#: ``0, 1, 2, ...`` of a run-time length.
COUNT = Op(
    name="count",
    numpy="numpy.arange(n)",
    infer=lambda length, *, bound: ArrayType(DTYPES["i64"], (Length(length, bound),)),
    evaluate=lambda xp, length, *, bound: np.arange(int(length)),
    jax=xla_windows.count,
    access=lambda length, *, bound: ((),),
    pointwise=False,
    memory="free",
    cost=lambda length, *, bound: Cost(bound, 8 * bound),
    backends=("native", "xla", "numpy"),
    samples=lambda: (Sample(("i64[]",), {"bound": 5}, make=_number(n)) for n in (0, 4)),
    padded=xla_lengths.untouched,
    dependent=True,
    checked=True,
)


#: The positions of the True elements of a mask of one axis; the number of them is an operand, which is right.
FLATNONZERO = Op(
    name="flatnonzero",
    numpy="numpy.flatnonzero(mask)",
    infer=lambda mask, total, *, bound: ArrayType(DTYPES["i64"], (Length(total, bound),)),
    evaluate=lambda xp, mask, total, *, bound: np.flatnonzero(mask),
    jax=xla_windows.flatnonzero,
    access=lambda mask, total, *, bound: ((OPAQUE,), ()),
    pointwise=False,
    memory="fresh",
    cost=lambda mask, total, *, bound: Cost(bound, 9 * bound),
    backends=("native", "xla", "numpy"),
    samples=lambda: (
        Sample(("bool[5]", "i64[]"), {"bound": 5}, make=_mask_and_total(total)) for total in (0, 3, 5)
    ),
    padded=xla_lengths.for_positions,
    dependent=True,
)


def _mask_and_total(total: int) -> Callable[[Any], tuple[Any, ...]]:
    return lambda rng: (rng.permutation(np.arange(5) < total), np.int64(total))


def _infer_expand(x: ArrayType, *, axes: tuple[int, ...]) -> ArrayType:
    if list(axes) != sorted(set(axes)) or not all(0 <= a < x.ndim + len(axes) for a in axes):
        raise ValueError(f"axes {axes} cannot be added to {x}")
    shape = list(x.shape)
    for axis in axes:
        shape.insert(axis, 1)
    return x.with_shape(tuple(shape))


#: Axes of length 1 added: `axes` ascending, as they stand in the result.
EXPAND = Op(
    name="expand",
    numpy="numpy.expand_dims(x, axes)",
    infer=_infer_expand,
    evaluate=lambda xp, x, *, axes: xp.expand_dims(x, axes),
    jax=None,
    access=lambda x, *, axes: (tuple(Along(k) for k in range(x.ndim + len(axes)) if k not in axes),),
    pointwise=False,
    memory="view",
    cost=lambda x, *, axes: Cost(0, 0),
    backends=("native", "xla", "numpy"),
    samples=lambda: (Sample(("f64[3,2]",), {"axes": axes}) for axes in ((0,), (1, 3), (2,))),
    padded=xla_lengths.untouched,
)


def _infer_as_extents(x: Value, *lengths: Value, axes: tuple[int, ...]) -> ArrayType:
    shape = list(x.type.shape)
    for axis, length in zip(axes, lengths, strict=True):
        shape[axis] = Length(length, extents.bound(shape[axis]))
    return x.type.with_shape(tuple(shape))


#: The same data, some axes' extents named by other scalars, which are equal to them when the program runs.
AS_EXTENTS = Op(
    name="as_extents",
    numpy="x",
    infer=_infer_as_extents,
    evaluate=lambda xp, x, *lengths, axes: x,
    jax=xla_windows.as_extents,
    access=lambda x, *lengths, axes: (tuple(Along(k) for k in range(x.ndim)), *[()] * len(lengths)),
    pointwise=False,
    memory="view",
    cost=lambda x, *lengths, axes: Cost(0, 0),
    backends=("native", "xla", "numpy"),
    samples=lambda: (Sample(("f64[3]", "i64[]"), {"axes": (0,)}, make=_array_and(3)),),
    padded=xla_lengths.untouched,
    dependent=True,
    checked=True,
)


def _infer_reserve(x: ArrayType, *, shape: tuple[int, ...]) -> ArrayType:
    if len(shape) != x.ndim or not all(extents.bound(n) <= m for n, m in zip(x.shape, shape, strict=True)):
        raise ValueError(f"{x} does not fit into an array of shape {shape}")
    return x.with_shape(shape)


def _evaluate_reserve(xp: Any, x: Any, *, shape: tuple[int, ...]) -> Any:
    result = np.zeros(shape, x.dtype)
    box = tuple(slice(n) for n in np.shape(x))
    result[box] = x
    return result


#: An array of a static shape that begins with `x`: memory for the longest that a variable can become. What else is in
#: it is not defined; whoever records it keeps the extents of `x`, and reads nothing beyond them.
RESERVE = Op(
    name="reserve",
    numpy="x",
    infer=_infer_reserve,
    evaluate=_evaluate_reserve,
    jax=xla_windows.reserve,
    access=lambda x, *, shape: ((OPAQUE,) * x.ndim,),
    pointwise=False,
    memory="fresh",
    cost=lambda x, *, shape: Cost(0, x.nbytes),
    backends=("native", "xla", "numpy"),
    samples=lambda: (Sample((f"{name}[3,2]",), {"shape": (3, 2)}) for name in ("f64", "i32")),
    padded=xla_lengths.untouched,
)
