"""Operations that write parts of an array, or read and write by index values.

NumPy's in-place writes are functional here: each gives a new array, and whether the old one's memory is
reused is decided later. An index out of range never reaches a result that is used, because a check raises
first; so lowerings only have to be safe there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

import numpy as np

from lazyarr.ir import extents
from lazyarr.ir.access import OPAQUE, WHOLE, Along, AxisAccess, OperandAccess
from lazyarr.ir.extents import Extent, Shape
from lazyarr.ir.layout import solved
from lazyarr.ir.node import Value, apply
from lazyarr.ir.op import OPS, Cost, Op, Sample, Types
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ops import elementwise, xla_lengths
from lazyarr.ops.across import ACROSS
from lazyarr.ops.order import ORDERED
from lazyarr.ops.shape import (
    FEW,
    SLICE,
    Parts,
    Place,
    Places,
    python_slices,
    require_arrays,
    same_extent,
    show_shape,
    slice_shape,
)
from lazyarr.ops.xla_update import update_slice, write_box

INDEX = np.dtype(np.int64)

# --- update_slice ----------------------------------------------------------------------------------------


def _require_value(name: str, x: ArrayType, value: ArrayType, shape: Shape) -> None:
    require_arrays(name, x, value)
    if value.dtype != x.dtype:
        raise TypeError(f"{name} takes a value of the array's dtype, got {x} and {value}")
    if value.ndim != len(shape) or not all(same_extent(a, b) for a, b in zip(value.shape, shape, strict=True)):
        raise ValueError(
            f"could not broadcast input array from shape {show_shape(value.shape)} into shape {show_shape(shape)}"
        )


def _infer_update_slice(
    x: ArrayType, value: ArrayType, *, start: tuple[Extent, ...], stop: tuple[Extent, ...], step: tuple[int, ...]
) -> ArrayType:
    _require_value("update_slice", x, value, slice_shape(x.shape, start, stop, step))
    return x


def _of_copy(into: Callable[..., None]) -> Callable[..., Any]:
    def evaluate(xp: Any, x: Any, *others: Any, **how: Any) -> Any:
        result = np.array(x)
        into(result, *others, **how)
        return result

    return evaluate


def _into_slice(x: Any, value: Any, **bounds: tuple[int, ...]) -> None:
    x[python_slices(**bounds)] = value


def _access_update_slice(
    x: ArrayType, value: ArrayType, *, start: tuple[Extent, ...], stop: tuple[Extent, ...], step: tuple[int, ...]
) -> tuple[OperandAccess, ...]:
    written: list[AxisAccess] = []
    for axis, (a, s) in enumerate(zip(start, step, strict=True)):
        # Value index i goes to start + step * i; solved for i this is a whole multiple only for steps of one.
        written.append(Along(axis, -a, -a) if s == 1 else Along(axis, a, a, -1) if s == -1 else OPAQUE)
    return tuple(Along(axis) for axis in range(x.ndim)), tuple(written)


def _update_cost(x: ArrayType, value: ArrayType, *rest: ArrayType, **attrs: Any) -> Cost:
    return Cost(0, x.nbytes + 2 * value.nbytes)


def _samples_update_slice() -> Iterator[Sample]:
    cases: list[tuple[str, str, list[tuple[int, int, int]]]] = [
        ("7", "5", [(1, 6, 1)]), ("7", "7", [(0, 7, 1)]), ("7", "7", [(6, -1, -1)]), ("7", "3", [(5, -1, -2)]),
        ("7", "2", [(1, 7, 3)]), ("7", "0", [(3, 3, 1)]), ("0", "0", [(0, 0, 1)]), ("1", "1", [(0, -1, -1)]),
        ("4,5", "2,3", [(1, 3, 1), (4, -1, -2)]), ("4,5", "2,1", [(0, 4, 2), (2, 3, 1)]), ("", "", []),
        ("2,3,4", "2,1,2", [(0, 2, 1), (2, 1, -1), (1, 4, 2)]), ("30,30", "2,1", [(4, 9, 3), (2, 3, 1)]),
        ("30,30", "1,1", [(4, 5, 1), (29, 30, 1)]), ("40,9", "1,4", [(39, 38, -1), (0, 8, 2)]),
    ]  # fmt: skip
    for k, (shape, part, bounds) in enumerate(cases):
        low, high, step = zip(*bounds, strict=True) if bounds else ((), (), ())
        for name in sorted({FEW[k % len(FEW)], "f64"}):
            yield Sample((f"{name}[{shape}]", f"{name}[{part}]"), {"start": low, "stop": high, "step": step})
    for name in DTYPES:
        yield Sample((f"{name}[3,4]", f"{name}[1,2]"), {"start": (1, 1), "stop": (2, 3), "step": (1, 1)})


def _members(indices: range, first: int, last: int) -> range:
    """Which members of a range lie between two bounds, by their number."""
    low, high = solved(indices.step, indices.start, (first, last))
    return range(len(indices))[max(low, 0) : max(high, 0)]


def _part_update_slice(
    operands: Parts, given: Places, wanted: Place, whole: Types, *, start: tuple[int, ...], stop: tuple[int, ...],
    step: tuple[int, ...],
) -> Value:  # fmt: skip
    array, value = operands
    written, chosen = [], []
    for (first, last), (begin, _), a, b, s in zip(wanted, given[1], start, stop, step, strict=True):
        # Of value indices 0, 1, ..., which go to a, a + s, ..., those that are written here.
        inside = _members(range(a, b, s), first, last)
        if not inside:
            return array
        at = a + s * inside[0] - first
        end = at + s * (len(inside) - 1) + (1 if s > 0 else -1)
        written.append((at, max(end, -1), s))
        chosen.append((inside[0] - begin, inside[-1] + 1 - begin, 1))
    if any((a, b) != (0, n) for (a, b, _), n in zip(chosen, value.type.shape, strict=True)):
        low, high, by = zip(*chosen, strict=True)
        value = apply(SLICE, value, start=low, stop=high, step=by)
    low, high, by = zip(*written, strict=True) if written else ((), (), ())
    return apply(UPDATE_SLICE, array, value, start=low, stop=high, step=by)


#: An array with one slice of it replaced.
UPDATE_SLICE = Op(
    name="update_slice",
    numpy="x[start:stop:step, ...] = value",
    infer=_infer_update_slice,
    evaluate=_of_copy(_into_slice),
    jax=update_slice,
    access=_access_update_slice,
    pointwise=False,
    memory="fresh",
    cost=_update_cost,
    backends=("xla", "numpy"),
    samples=_samples_update_slice,
    part=_part_update_slice,
    into=_into_slice,
)

# --- dynamic slices --------------------------------------------------------------------------------------


def _require_starts(name: str, ndim: int, starts: tuple[ArrayType, ...]) -> None:
    if len(starts) != ndim or any(t.dtype != INDEX or t.shape != () or t.weak for t in starts):
        raise TypeError(f"{name} takes one i64[] start an axis, got {', '.join(map(str, starts))}")


def _infer_dynamic_slice(x: ArrayType, *starts: ArrayType, lengths: Shape) -> ArrayType:
    require_arrays("dynamic_slice", x)
    _require_starts("dynamic_slice", x.ndim, starts)
    if len(lengths) != x.ndim:
        raise ValueError(f"dynamic_slice of {x} needs {x.ndim} lengths, got {len(lengths)}")
    for n, m in zip(x.shape, lengths, strict=True):
        if isinstance(n, int) and isinstance(m, int) and not 0 <= m <= n:
            raise ValueError(f"dynamic_slice of length {m} leaves an axis of {n}")
    return x.with_shape(lengths)


def _clamped(starts: tuple[Any, ...], lengths: Shape, shape: Shape) -> tuple[slice, ...]:
    """The slices, moved inside where a start is out of range, as XLA does."""
    low = [min(max(int(s), 0), extent - n) for s, n, extent in zip(starts, lengths, shape, strict=True)]
    return tuple(slice(a, a + n) for a, n in zip(low, lengths, strict=True))


def _access_dynamic(shape: Shape, lengths: Shape) -> OperandAccess:
    """An axis taken whole starts at 0; on others the offset is data."""
    return tuple(Along(k) if same_extent(n, m) else OPAQUE for k, (n, m) in enumerate(zip(shape, lengths, strict=True)))


def _draw_starts(name: str, shape: tuple[int, ...], lengths: tuple[int, ...]) -> Callable[[Any], tuple[Any, ...]]:
    def make(rng: Any) -> tuple[Any, ...]:
        starts = [np.int64(rng.integers(n - m + 1)) for n, m in zip(shape, lengths, strict=True)]
        return (draw(rng, name, shape), *starts)

    return make


def draw(rng: Any, name: str, shape: tuple[int, ...]) -> Any:
    """Random operand values of a dtype: small integers in every dtype, so that back ends agree exactly."""
    values = rng.integers(0 if name[0] == "u" else -4, 5, shape)
    return np.asarray(values > 0 if name == "bool" else values).astype(DTYPES[name])


_DYNAMIC: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((7,), (3,)), ((4, 5), (1, 5)), ((4, 5), (2, 2)), ((3, 4), (0, 4)), ((), ()), ((2, 3, 4), (1, 1, 4)),
    ((1, 1), (1, 1)),
]  # fmt: skip


def _samples_dynamic_slice() -> Iterator[Sample]:
    for k, (shape, lengths) in enumerate(_DYNAMIC):
        for name in sorted({FEW[k], "f64"}):
            types = (f"{name}{list(shape)}".replace(" ", ""), *["i64[]"] * len(shape))
            yield Sample(types, {"lengths": lengths}, make=_draw_starts(name, shape, lengths))


def _starts(jax: Any, starts: tuple[Any, ...]) -> list[Any]:
    return [jax.numpy.asarray(s) for s in starts]


#: A box of constant lengths at data-dependent starts, which must be in range.
DYNAMIC_SLICE = Op(
    name="dynamic_slice",
    numpy="x[start:start + length, ...]",
    infer=_infer_dynamic_slice,
    evaluate=lambda xp, x, *starts, lengths: x[_clamped(starts, lengths, x.shape)],
    jax=lambda jax, x, *starts, lengths: jax.lax.dynamic_slice(
        x, _starts(jax, starts), lengths, allow_negative_indices=False
    ),
    access=lambda x, *starts, lengths: (_access_dynamic(x.shape, lengths), *[()] * len(starts)),
    pointwise=False,
    memory="view",
    cost=lambda x, *starts, lengths: Cost(0, 2 * x.with_shape(lengths).nbytes),
    backends=("xla", "numpy"),
    samples=_samples_dynamic_slice,
)


def _infer_dynamic_update_slice(x: ArrayType, value: ArrayType, *starts: ArrayType) -> ArrayType:
    require_arrays("dynamic_update_slice", x, value)
    _require_starts("dynamic_update_slice", x.ndim, starts)
    if value.dtype != x.dtype or value.ndim != x.ndim:
        raise TypeError(f"dynamic_update_slice takes a value of the array's dtype and axes, got {x} and {value}")
    for n, m in zip(x.shape, value.shape, strict=True):
        if isinstance(n, int) and isinstance(m, int) and m > n:
            shapes = f"{show_shape(value.shape)} into shape {show_shape(x.shape)}"
            raise ValueError(f"could not broadcast input array from shape {shapes}")
    return x


def _into_box(x: Any, value: Any, *starts: Any) -> None:
    x[_clamped(starts, value.shape, x.shape)] = value


def _samples_dynamic_update_slice() -> Iterator[Sample]:
    def make(name: str, shape: tuple[int, ...], lengths: tuple[int, ...]) -> Callable[[Any], tuple[Any, ...]]:
        def values(rng: Any) -> tuple[Any, ...]:
            x, *starts = _draw_starts(name, shape, lengths)(rng)
            return (x, draw(rng, name, lengths), *starts)

        return values

    for k, (shape, lengths) in enumerate(_DYNAMIC):
        for name in sorted({FEW[k], "f64"}):
            types = [f"{name}{list(s)}".replace(" ", "") for s in (shape, lengths)]
            yield Sample((*types, *["i64[]"] * len(shape)), make=make(name, shape, lengths))


#: An array with a box of it replaced, at data-dependent starts, which must be in range.
DYNAMIC_UPDATE_SLICE = Op(
    name="dynamic_update_slice",
    numpy="x[start:start + length, ...] = value",
    infer=_infer_dynamic_update_slice,
    evaluate=_of_copy(_into_box),
    jax=lambda jax, x, value, *starts: write_box(jax, x, value, _starts(jax, starts)),
    access=lambda x, value, *starts: (
        tuple(Along(k) for k in range(x.ndim)), _access_dynamic(value.shape, x.shape), *[()] * len(starts)
    ),
    pointwise=False,
    memory="fresh",
    cost=_update_cost,
    backends=("xla", "numpy"),
    samples=_samples_dynamic_update_slice,
    into=_into_box,
)  # fmt: skip

# --- gather ----------------------------------------------------------------------------------------------


def gather_shape(x: Shape, indices: tuple[Shape, ...], axes: tuple[int, ...]) -> tuple[Extent, ...]:
    """Shape of ``gather``: the indices' broadcast, then the axes of `x` that are not gathered."""
    rest = tuple(n for a, n in enumerate(x) if a not in axes)
    return (*extents.broadcast(*indices), *rest)


def _require_indices(name: str, x: ArrayType, indices: tuple[ArrayType, ...], axes: tuple[int, ...]) -> None:
    if not axes or list(axes) != sorted(set(axes)) or not all(0 <= a < x.ndim for a in axes):
        raise ValueError(f"{name} of {x} takes ascending axes, got {axes}")
    if len(indices) != len(axes) or any(t.dtype != INDEX or t.weak for t in indices):
        raise TypeError(f"{name} takes one i64 index array an axis, got {', '.join(map(str, indices))}")


def _infer_gather(x: ArrayType, *indices: ArrayType, axes: tuple[int, ...]) -> ArrayType:
    require_arrays("gather", x)
    _require_indices("gather", x, indices, axes)
    try:
        return x.with_shape(gather_shape(x.shape, tuple(t.shape for t in indices), axes))
    except ValueError as error:
        shapes = " ".join(show_shape(t.shape) for t in indices)
        raise IndexError(
            f"shape mismatch: indexing arrays could not be broadcast together with shapes {shapes}"
        ) from error


def _wrapped(indices: tuple[Any, ...], shape: Shape, axes: tuple[int, ...]) -> tuple[Any, ...]:
    """NumPy indices within range: negative ones wrapped, those out of range clipped."""
    found = []
    for index, axis in zip(indices, axes, strict=True):
        extent = shape[axis]
        found.append(np.clip(np.where(index < 0, index + extent, index), 0, extent - 1))
    return tuple(found)


def _index_first(x: Any, axes: tuple[int, ...]) -> Any:
    """A view of `x` with the gathered axes in front."""
    return np.moveaxis(x, axes, range(len(axes)))


def _gather(xp: Any, x: Any, *indices: Any, axes: tuple[int, ...]) -> Any:
    if any(x.shape[a] == 0 for a in axes):
        return np.zeros(gather_shape(x.shape, tuple(i.shape for i in indices), axes), x.dtype)
    return _index_first(x, axes)[_wrapped(indices, x.shape, axes)]


def _jax_indices(jax: Any, indices: tuple[Any, ...], shape: Shape, axes: tuple[int, ...]) -> Any:
    """All indices as one array whose last axis lists the gathered axes; negative ones wrapped.

    Those out of range need nothing: XLA's gather clamps them and its scatter drops them.
    """
    lax = jax.lax
    # Narrow indices are half the memory traffic, and vectorise better.
    narrow = np.int32 if all(shape[a] < 2**31 for a in axes) else np.int64
    ready = []
    for index, axis in zip(jax.numpy.broadcast_arrays(*indices), axes, strict=True):
        extent = lax.full_like(index, shape[axis])
        wrapped = lax.select(lax.lt(index, lax.full_like(index, 0)), lax.add(index, extent), index)
        if narrow is np.int32:
            # What is out of range must stay so.
            wrapped = lax.clamp(np.int64(-1), wrapped, np.int64(shape[axis]))
        ready.append(lax.expand_dims(lax.convert_element_type(wrapped, narrow), (index.ndim,)))
    return lax.concatenate(ready, ready[0].ndim - 1) if len(ready) > 1 else ready[0]


def _jax_gather(jax: Any, x: Any, *indices: Any, axes: tuple[int, ...]) -> Any:
    shape = gather_shape(x.shape, tuple(i.shape for i in indices), axes)
    if any(x.shape[a] == 0 for a in axes) or 0 in shape:
        return jax.lax.full(shape, 0, x.dtype)
    stacked = _jax_indices(jax, indices, x.shape, axes)
    numbers = jax.lax.GatherDimensionNumbers(
        offset_dims=tuple(range(stacked.ndim - 1, len(shape))), collapsed_slice_dims=axes, start_index_map=axes
    )
    sizes = tuple(1 if a in axes else n for a, n in enumerate(x.shape))
    # XLA clamps whatever the mode; any other mode of jax's adds masks.
    return jax.lax.gather(x, stacked, numbers, sizes, mode=jax.lax.GatherScatterMode.PROMISE_IN_BOUNDS)


def _index_access(shape: Shape, broadcast: Shape) -> OperandAccess:
    lead = len(broadcast) - len(shape)
    return tuple(WHOLE if n == 1 and broadcast[lead + k] != 1 else Along(lead + k) for k, n in enumerate(shape))


def _access_gather(x: ArrayType, *indices: ArrayType, axes: tuple[int, ...]) -> tuple[OperandAccess, ...]:
    shape = extents.broadcast(*(t.shape for t in indices))
    rest = [a for a in range(x.ndim) if a not in axes]
    read: OperandAccess = tuple(OPAQUE if a in axes else Along(len(shape) + rest.index(a)) for a in range(x.ndim))
    return (read, *(_index_access(t.shape, shape) for t in indices))


#: x shape, gathered axes, index shapes.
_CASES: list[tuple[tuple[int, ...], tuple[int, ...], list[tuple[int, ...]]]] = [
    ((7,), (0,), [(5,)]), ((7,), (0,), [()]), ((4, 5), (0,), [(3,)]), ((4, 5), (1,), [(2, 3)]),
    ((4, 5), (0, 1), [(3,), (3,)]), ((4, 5), (0, 1), [(3, 1), (2,)]), ((2, 3, 4), (0, 2), [(5,), ()]),
    ((2, 3, 4), (1,), [(0,)]), ((2, 3, 0), (1,), [(2,)]), ((1,), (0,), [(4,)]), ((2, 1, 3), (1, 2), [(1,), (2, 2)]),
]  # fmt: skip


def _spelled(name: str, shape: tuple[int, ...]) -> str:
    return f"{name}[{','.join(map(str, shape))}]"


def _draw_indices(
    rng: Any, shape: tuple[int, ...], axes: tuple[int, ...], index_shapes: list[tuple[int, ...]]
) -> list[Any]:
    return [np.asarray(rng.integers(-shape[a], shape[a], s)) for a, s in zip(axes, index_shapes, strict=True)]


def _samples_gather() -> Iterator[Sample]:
    def sample(name: str, shape: tuple[int, ...], axes: tuple[int, ...], index_shapes: list[tuple[int, ...]]) -> Sample:
        return Sample(
            (_spelled(name, shape), *(_spelled("i64", s) for s in index_shapes)),
            {"axes": axes},
            make=lambda rng: (draw(rng, name, shape), *_draw_indices(rng, shape, axes, index_shapes)),
        )

    for case in _CASES:
        yield sample("f64", *case)
    for name in DTYPES:
        yield sample(name, *_CASES[2])


#: Elements, or blocks over the remaining axes, at the indices.
GATHER = Op(
    name="gather",
    numpy="x[:, i, :, j]",
    infer=_infer_gather,
    evaluate=_gather,
    jax=_jax_gather,
    access=_access_gather,
    pointwise=False,
    memory="fresh",
    cost=lambda x, *indices, axes: Cost(
        2 * _infer_gather(x, *indices, axes=axes).size,
        2 * _infer_gather(x, *indices, axes=axes).nbytes + sum((t.nbytes for t in indices), 0),
    ),
    backends=("xla", "numpy"),
    samples=_samples_gather,
    checked=True,
    padded=xla_lengths.for_gather,
    part="same",
    across=ACROSS["gather"],
)

# --- scatter ---------------------------------------------------------------------------------------------


def _infer_scatter(
    x: ArrayType, value: ArrayType, *indices: ArrayType, axes: tuple[int, ...], kind: str
) -> ArrayType:
    _require_indices("scatter", x, indices, axes)
    _require_value("scatter", x, value, gather_shape(x.shape, tuple(t.shape for t in indices), axes))
    if kind == "set":
        return x
    if kind not in elementwise.ELEMENTWISE:
        raise ValueError(f"scatter has no kind {kind!r}; it is set or a binary ufunc")
    ufunc: np.ufunc = getattr(np, kind)
    if ufunc.nin != 2 or ufunc.nout != 1:
        raise ValueError(f"scatter takes a binary ufunc, not {kind}")
    first, second, result = ufunc.resolve_dtypes((x.dtype, x.dtype, None))
    if (first, second) != (x.dtype, x.dtype) or not np.can_cast(result, x.dtype, "same_kind"):
        raise TypeError(f"{kind} has no loop for {x.dtype} that gives {x.dtype}")
    return x


def _scatter_into(x: Any, value: Any, *indices: Any, axes: tuple[int, ...], kind: str) -> None:
    if any(x.shape[a] == 0 for a in axes) or value.size == 0:
        return
    target, index = _index_first(x, axes), _wrapped(indices, x.shape, axes)
    if kind == "set":
        target[index] = value
    else:
        getattr(np, kind).at(target, index, value)


#: Kinds XLA's scatter has itself, where the dtype allows.
_NATIVE = {"set": "scatter", "add": "scatter_add", "subtract": "scatter_sub", "multiply": "scatter_mul",
           "maximum": "scatter_max", "minimum": "scatter_min"}  # fmt: skip
#: What the kinds mean on bools, in terms of an order in which False < True.
_ON_BOOL = {"add": "maximum", "logical_or": "maximum", "bitwise_or": "maximum", "maximum": "maximum",
            "multiply": "minimum", "logical_and": "minimum", "bitwise_and": "minimum", "minimum": "minimum",
            "set": "set"}  # fmt: skip


def _jax_scatter(jax: Any, x: Any, value: Any, *indices: Any, axes: tuple[int, ...], kind: str) -> Any:
    if any(x.shape[a] == 0 for a in axes) or value.size == 0:
        return x
    stacked = _jax_indices(jax, indices, x.shape, axes)
    if x.dtype == np.bool_:
        kind = _ON_BOOL.get(kind, kind)
    if kind not in _NATIVE or (kind in ("maximum", "minimum") and x.dtype.kind == "c"):
        return _scatter_one_by_one(jax, x, value, stacked, axes, kind)
    numbers = jax.lax.ScatterDimensionNumbers(
        update_window_dims=tuple(range(stacked.ndim - 1, value.ndim)),
        inserted_window_dims=axes,
        scatter_dims_to_operand_dims=axes,
    )
    # XLA drops updates out of range whatever the mode; any other mode of jax's adds masks.
    mode = jax.lax.GatherScatterMode.PROMISE_IN_BOUNDS

    def write(x: Any, stacked: Any, value: Any) -> Any:
        return getattr(jax.lax, _NATIVE[kind])(x, stacked, value, numbers, mode=mode)

    if kind != "set" or stacked.size == len(axes):
        return write(x, stacked, value)

    def write_last(x: Any, stacked: Any, value: Any) -> Any:
        return write(x, _last_writers(jax, stacked, tuple(x.shape[a] for a in axes)), value)

    # On the CPU XLA applies updates one after the other; elsewhere in any order.
    return jax.lax.platform_dependent(x, stacked, value, cpu=write, default=write_last)


def _last_writers(jax: Any, stacked: Any, extents: tuple[int, ...]) -> Any:
    """The indices, with those that a later one repeats put out of range: whatever the order, the last write wins."""
    lax = jax.lax
    lead = stacked.shape[:-1]
    number = lax.reshape(lax.iota(np.int32, int(np.prod(lead, dtype=np.int64))), lead)
    every = tuple(range(len(extents)))
    numbers = lax.ScatterDimensionNumbers((), inserted_window_dims=every, scatter_dims_to_operand_dims=every)
    mode = lax.GatherScatterMode.PROMISE_IN_BOUNDS
    last = lax.scatter_max(lax.full(extents, -1, np.int32), stacked, number, numbers, mode=mode)
    read = lax.GatherDimensionNumbers((), collapsed_slice_dims=every, start_index_map=every)
    wins = lax.gather(last, stacked, read, (1,) * len(extents), mode=mode) == number
    return jax.numpy.where(lax.expand_dims(wins, (len(lead),)), stacked, -1)


def _scatter_one_by_one(jax: Any, x: Any, value: Any, stacked: Any, axes: tuple[int, ...], kind: str) -> Any:
    """A loop over the updates, in order, each combining one block."""
    lax = jax.lax
    combine = OPS[kind].jax or getattr(jax.numpy, kind)
    takes_module = OPS[kind].jax is not None
    rest = tuple(n for a, n in enumerate(x.shape) if a not in axes)
    flat = lax.reshape(stacked, (int(np.prod(stacked.shape[:-1], dtype=np.int64)), len(axes)))
    updates = lax.reshape(value, (flat.shape[0], *rest))
    block = tuple(1 if a in axes else n for a, n in enumerate(x.shape))

    def step(k: Any, result: Any) -> Any:
        at = lax.dynamic_index_in_dim(flat, k, 0, keepdims=False)
        starts = [at[axes.index(a)] if a in axes else np.asarray(0, at.dtype) for a in range(x.ndim)]
        old = lax.dynamic_slice(result, starts, block, allow_negative_indices=False)
        update = lax.reshape(lax.dynamic_index_in_dim(updates, k, 0, keepdims=False), block)
        new = combine(jax, old, update) if takes_module else combine(old, update)
        # An update in place is moved inside where it would be out of range; it is to be left out.
        inside = [(at[k] >= 0) & (at[k] < x.shape[a]) for k, a in enumerate(axes)]
        new = jax.numpy.where(reduce(lax.bitwise_and, inside), new, old)
        return write_box(jax, result, new.astype(x.dtype), starts)

    return lax.fori_loop(0, flat.shape[0], step, x)


def _access_scatter(
    x: ArrayType, value: ArrayType, *indices: ArrayType, axes: tuple[int, ...], kind: str
) -> tuple[OperandAccess, ...]:
    rest = [a for a in range(x.ndim) if a not in axes]
    lead = value.ndim - len(rest)
    written: OperandAccess = (*[OPAQUE] * lead, *(Along(a) for a in rest))
    return (tuple(Along(a) for a in range(x.ndim)), written, *((OPAQUE,) * t.ndim for t in indices))


def _samples_scatter() -> Iterator[Sample]:
    def sample(
        kind: str, name: str, shape: tuple[int, ...], axes: tuple[int, ...], index_shapes: list[tuple[int, ...]]
    ) -> Sample:
        value = tuple(int(n) for n in gather_shape(shape, tuple(index_shapes), axes))
        return Sample(
            (_spelled(name, shape), _spelled(name, value), *(_spelled("i64", s) for s in index_shapes)),
            {"axes": axes, "kind": kind},
            make=lambda rng: (
                draw(rng, name, shape), draw(rng, name, value), *_draw_indices(rng, shape, axes, index_shapes)
            ),
        )  # fmt: skip

    for k, case in enumerate(_CASES):
        for kind in ("set", ("add", "subtract", "multiply", "maximum", "fmin", "power")[k % 6]):
            yield sample(kind, "f64", *case)
    kinds = ["set", "add", "subtract", "multiply", "maximum", "minimum", "fmax", "logical_or", "logical_and",
             "bitwise_or", "bitwise_and", "bitwise_xor", "floor_divide"]  # fmt: skip
    for kind in kinds:
        for name in DTYPES:
            bits, whole = kind.startswith("bitwise"), name[0] in "biu"
            if (name == "bool" and kind in ("subtract", "floor_divide")) or (bits and not whole):
                continue
            if name[0] == "c" and kind == "floor_divide":
                continue
            yield sample(kind, name, *_CASES[2])


def _part_scatter(
    operands: Parts, given: Places, wanted: Place, whole: Types, *, axes: tuple[int, ...], kind: str
) -> Value:
    extents = tuple([whole[0].shape[a] for a in axes])
    places = tuple([wanted[a] for a in axes])
    if places == tuple((0, n) for n in extents):
        return apply(SCATTER, *operands, axes=axes, kind=kind)
    return apply(OPS["scatter_within"], *operands, axes=axes, kind=kind, places=places, extents=extents)


#: Writes, or combines, at the indices; repeated indices are applied in order.
SCATTER = Op(
    name="scatter",
    numpy="x[:, i, :, j] = value, or numpy.<kind>.at(x, indices, value)",
    infer=_infer_scatter,
    evaluate=_of_copy(_scatter_into),
    jax=_jax_scatter,
    access=_access_scatter,
    pointwise=False,
    memory="fresh",
    cost=lambda x, value, *indices, axes, kind: Cost(
        4 * value.size, x.nbytes + 2 * value.nbytes + sum((t.nbytes for t in indices), 0)
    ),
    backends=("xla", "numpy"),
    samples=_samples_scatter,
    checked=True,
    padded=xla_lengths.for_scatter,
    part=_part_scatter,
    across=ACROSS["scatter"],
    ordered=ORDERED["scatter"],
    into=_scatter_into,
)
