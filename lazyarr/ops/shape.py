"""Operations that move elements without computing: reshape, transpose, slice, concatenate, pad, roll, diagonal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from lazyarr.ir import extents
from lazyarr.ir.access import OPAQUE, WHOLE, Along, AxisAccess, OperandAccess, elementwise
from lazyarr.ir.extents import Extent, Shape
from lazyarr.ir.flat import reshaped
from lazyarr.ir.layout import Layout, Range, length
from lazyarr.ir.node import Value, apply
from lazyarr.ir.op import Cost, Op, Sample, Types
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ops import xla_lengths

#: Dtypes that cover each kind and width in samples, where all thirteen would only repeat themselves.
FEW = ("bool", "i8", "u32", "i64", "f16", "f32", "f64", "c64", "c128")


def require_arrays(name: str, *types: ArrayType) -> None:
    """Reject Python scalars: the IR casts them first."""
    if any(t.weak for t in types):
        raise TypeError(f"{name} takes no Python scalar in the IR; cast it first")


def require_axis(name: str, axis: int, ndim: int) -> None:
    """Reject an axis that is not a normalised one."""
    if not 0 <= axis < ndim:
        raise ValueError(f"axis {axis} is out of bounds for array of dimension {ndim}")


def same_extent(x: Extent, y: Extent) -> bool:
    """Whether two extents are equal for every value of their symbols."""
    if isinstance(x, int) and isinstance(y, int):
        return x == y
    if isinstance(x, extents.Length) or isinstance(y, extents.Length):
        return bool(x == y)
    difference = x - y
    return bool(difference == 0) or bool(difference.expand() == 0)


def copying(infer: Callable[..., ArrayType]) -> Callable[..., Cost]:
    """Cost of reading and writing as many bytes as the result has."""

    def cost(*types: ArrayType, **attrs: Any) -> Cost:
        return Cost(0, 2 * infer(*types, **attrs).nbytes)

    return cost


def show_shape(shape: Shape) -> str:
    """A shape as NumPy's messages print it."""
    return "(" + ",".join(map(extents.show, shape)) + ("," if len(shape) == 1 else "") + ")"


#: Parts of operands; the indices that parts have of each axis; those of each operand.
Parts = Sequence[Value]
Place = Sequence[Range]
Places = Sequence[Place]


def _lengths(place: Place) -> tuple[int, ...]:
    return tuple(map(length, place))


# --- reshape ---------------------------------------------------------------------------------------------


def _infer_reshape(x: ArrayType, *, shape: Shape) -> ArrayType:
    require_arrays("reshape", x)
    if not same_extent(x.size, extents.size(shape)):
        raise ValueError(f"cannot reshape array of size {extents.show(x.size)} into shape {show_shape(shape)}")
    return x.with_shape(shape)


def _leading(shape: Shape) -> list[Extent]:
    """For each axis the product of the extents before it."""
    products: list[Extent] = [1]
    for extent in shape:
        products.append(products[-1] * extent)
    return products[:-1]


def _access_reshape(x: ArrayType, *, shape: Shape) -> tuple[OperandAccess, ...]:
    """An axis survives where its extent and the number of rows before it are the same."""
    if extents.is_static(x.shape) and x.size == 0:
        return ((OPAQUE,) * x.ndim,)
    found: list[AxisAccess] = []
    after = list(enumerate(zip(_leading(shape), shape, strict=True)))
    for lead, extent in zip(_leading(x.shape), x.shape, strict=True):
        match = [k for k, (p, n) in after if same_extent(n, extent) and same_extent(p, lead)]
        found.append(Along(match[0]) if match else OPAQUE)
    return (tuple(found),)


def _samples_reshape() -> Iterator[Sample]:
    pairs = [("3,4", (12,)), ("3,4", (2, 6)), ("2,3,4", (2, 12)), ("2,3,4", (6, 4)), ("2,3,4", (2, 3, 2, 2)),
             ("6", (3, 2)), ("1,6,1", (6,)), ("6", (1, 6, 1)), ("0,3", (3, 0)), ("", (1, 1)), ("1,1", ())]  # fmt: skip
    for k, (before, after) in enumerate(pairs):
        yield Sample((f"{FEW[k % len(FEW)]}[{before}]",), {"shape": after})
    for name in DTYPES:
        yield Sample((f"{name}[3,4]",), {"shape": (4, 3)})


def _part_reshape(operands: Parts, given: Places, wanted: Place, whole: Types, *, shape: Shape) -> Value:
    return apply(RESHAPE, operands[0], shape=_lengths(wanted))


def _rearranged(x: ArrayType, have: Layout, large: bool, *, shape: Shape) -> Layout:
    return reshaped(x.shape, have, shape, large)


#: Same elements in C order, another shape.
RESHAPE = Op(
    name="reshape",
    numpy="numpy.reshape(x, shape)",
    infer=_infer_reshape,
    evaluate=lambda xp, x, *, shape: xp.reshape(x, shape),
    jax=lambda jax, x, *, shape: jax.lax.reshape(x, shape),
    access=_access_reshape,
    # A view: nothing moves unless the operand is not in C order.
    pointwise=False,
    memory="view",
    cost=lambda x, *, shape: Cost(0, 0),
    backends=("xla", "numpy"),
    samples=_samples_reshape,
    part=_part_reshape,
    rearranged=_rearranged,
)

# --- transpose -------------------------------------------------------------------------------------------


def _infer_transpose(x: ArrayType, *, axes: tuple[int, ...]) -> ArrayType:
    require_arrays("transpose", x)
    if sorted(axes) != list(range(x.ndim)):
        raise ValueError("axes don't match array" if len(axes) != x.ndim else "repeated axis in transpose")
    return x.with_shape(tuple(x.shape[a] for a in axes))


def _samples_transpose() -> Iterator[Sample]:
    for name in DTYPES:
        yield Sample((f"{name}[3,4]",), {"axes": (1, 0)})
    for shape, axes in [("2,3,4", (2, 0, 1)), ("2,3,4", (0, 2, 1)), ("0,3", (1, 0)), ("1,3,1", (1, 0, 2)), ("", ())]:
        yield Sample((f"f64[{shape}]",), {"axes": axes})


#: Axes in another order: result axis k is operand axis ``axes[k]``.
TRANSPOSE = Op(
    name="transpose",
    numpy="numpy.transpose(x, axes)",
    infer=_infer_transpose,
    evaluate=lambda xp, x, *, axes: xp.transpose(x, axes),
    jax=lambda jax, x, *, axes: jax.lax.transpose(x, axes),
    access=lambda x, *, axes: (tuple(Along(axes.index(a)) for a in range(x.ndim)),),
    pointwise=False,
    memory="view",
    cost=copying(_infer_transpose),
    backends=("xla", "numpy"),
    samples=_samples_transpose,
    padded=xla_lengths.untouched,
    part="same",
)

# --- broadcast -------------------------------------------------------------------------------------------


def _infer_broadcast(x: ArrayType, *, shape: Shape) -> ArrayType:
    require_arrays("broadcast", x)
    lead = len(shape) - x.ndim
    if lead < 0:
        raise ValueError("input operand has more dimensions than allowed by the axis remapping")
    if any(n != 1 and not same_extent(n, shape[lead + k]) for k, n in enumerate(x.shape)):
        raise ValueError(
            "operands could not be broadcast together with remapped shapes "
            f"[original->remapped]: {show_shape(x.shape)}  and requested shape {show_shape(shape)}"
        )
    return x.with_shape(shape)


def _jax_broadcast(jax: Any, x: Any, *, shape: Shape) -> Any:
    return jax.lax.broadcast_in_dim(x, shape, tuple(range(len(shape) - x.ndim, len(shape))))


def _samples_broadcast() -> Iterator[Sample]:
    for name in DTYPES:
        yield Sample((f"{name}[3,1]",), {"shape": (2, 3, 4)})
    for before, after in [("", (2, 3)), ("4", (3, 4)), ("1", (0,)), ("0", (3, 0)), ("1,1", (1, 1)), ("3,4", (3, 4))]:
        yield Sample((f"f64[{before}]",), {"shape": after})


def _part_broadcast(operands: Parts, given: Places, wanted: Place, whole: Types, *, shape: Shape) -> Value:
    return apply(BROADCAST, operands[0], shape=_lengths(wanted))


#: Axes of extent 1, and missing leading axes, repeated.
BROADCAST = Op(
    name="broadcast",
    numpy="numpy.broadcast_to(x, shape)",
    infer=_infer_broadcast,
    evaluate=lambda xp, x, *, shape: xp.broadcast_to(x, shape),
    jax=_jax_broadcast,
    access=lambda x, *, shape: elementwise(x.shape, shape)[:1],
    pointwise=False,
    memory="view",
    cost=lambda x, *, shape: Cost(0, x.nbytes + x.with_shape(shape).nbytes),
    backends=("xla", "numpy"),
    samples=_samples_broadcast,
    part=_part_broadcast,
)

# --- slice -----------------------------------------------------------------------------------------------


def slice_length(extent: Extent, start: Extent, stop: Extent, step: int) -> Extent:
    """Number of indices in ``range(start, stop, step)``, each of which must lie within an axis of `extent`.

    Raises
    ------
    ValueError
        If the step is zero, an index lies outside, or the bounds are symbolic and the step is not 1 or -1.
    """
    if step == 0:
        raise ValueError("slice step cannot be zero")
    if isinstance(start, int) and isinstance(stop, int):
        indices = range(start, stop, step)
        if indices and isinstance(extent, int) and not all(0 <= indices[end] < extent for end in (0, -1)):
            raise ValueError(f"slice {start}:{stop}:{step} leaves an axis of {extent}; normalise it first")
        return len(indices)
    if abs(step) != 1:
        raise ValueError(f"a symbolic slice has the step 1 or -1, not {step}")
    return (stop - start) * step


def slice_shape(
    shape: Shape, start: tuple[Extent, ...], stop: tuple[Extent, ...], step: tuple[int, ...]
) -> tuple[Extent, ...]:
    """Shape of a slice, one entry an axis."""
    if not len(start) == len(stop) == len(step) == len(shape):
        raise ValueError(f"a slice of {len(shape)} axes needs as many bounds, got {len(start)}")
    return tuple(slice_length(*entry) for entry in zip(shape, start, stop, step, strict=True))


def python_slices(start: tuple[int, ...], stop: tuple[int, ...], step: tuple[int, ...]) -> tuple[slice, ...]:
    """Slice objects for indexing: a `stop` of -1 means "past index 0", which Python writes as None."""
    return tuple(
        slice(0, 0, 1) if not range(*entry) else slice(entry[0], None if entry[1] < 0 else entry[1], entry[2])
        for entry in zip(start, stop, step, strict=True)
    )


def _infer_slice(
    x: ArrayType, *, start: tuple[Extent, ...], stop: tuple[Extent, ...], step: tuple[int, ...]
) -> ArrayType:
    require_arrays("slice", x)
    return x.with_shape(slice_shape(x.shape, start, stop, step))


def _jax_slice(jax: Any, x: Any, *, start: tuple[int, ...], stop: tuple[int, ...], step: tuple[int, ...]) -> Any:
    low, high, stride, reverse = [], [], [], []
    for axis, entry in enumerate(zip(start, stop, step, strict=True)):
        indices = range(*entry)
        if not indices:
            indices = range(0)
        elif entry[2] < 0:
            indices = indices[::-1]
            if len(indices) > 1:
                reverse.append(axis)
        low.append(indices.start)
        high.append(indices[-1] + 1 if indices else 0)
        stride.append(indices.step if len(indices) > 1 else 1)
    part = jax.lax.slice(x, low, high, stride)
    return jax.lax.rev(part, reverse) if reverse else part


def _samples_slice() -> Iterator[Sample]:
    cases: list[tuple[str, list[tuple[int, int, int]]]] = [
        ("7", [(1, 6, 1)]), ("7", [(0, 7, 1)]), ("7", [(6, -1, -1)]), ("7", [(5, -1, -2)]), ("7", [(1, 7, 3)]),
        ("7", [(3, 3, 1)]), ("7", [(5, 2, 1)]), ("0", [(0, 0, 1)]), ("0", [(-1, -1, -1)]), ("1", [(0, -1, -1)]),
        ("4,5", [(1, 3, 1), (4, -1, -2)]), ("4,5", [(0, 4, 2), (2, 3, 1)]),
        ("2,3,4", [(0, 2, 1), (2, 0, -1), (1, 4, 2)]),
        ("", []), ("3,0", [(0, 3, 2), (0, 0, 1)]),
    ]  # fmt: skip
    for k, (shape, bounds) in enumerate(cases):
        for name in {FEW[k % len(FEW)], "f64"}:
            low, high, step = zip(*bounds, strict=True) if bounds else ((), (), ())
            yield Sample((f"{name}[{shape}]",), {"start": low, "stop": high, "step": step})


def _part_slice(
    operands: Parts, given: Places, wanted: Place, whole: Types, *, start: tuple[int, ...], stop: tuple[int, ...],
    step: tuple[int, ...],
) -> Value:  # fmt: skip
    bounds = []
    for (first, last), (begin, _), a, s in zip(wanted, given[0], start, step, strict=True):
        at = a + s * first - begin
        bounds.append((at, at + s * (last - first), s) if first < last else (0, 0, 1))
        if s < 0 and first < last:
            bounds[-1] = at, max(at + s * (last - first), -1), s
        elif first < last:
            bounds[-1] = at, at + s * (last - first - 1) + 1, s
    low, high, by = zip(*bounds, strict=True) if bounds else ((), (), ())
    return apply(SLICE, operands[0], start=low, stop=high, step=by)


#: Basic slicing on every axis with Python's ``range(start, stop, step)``; flips are slices of step -1.
SLICE = Op(
    name="slice",
    numpy="x[start:stop:step, ...]",
    infer=_infer_slice,
    evaluate=lambda xp, x, *, start, stop, step: x[python_slices(start, stop, step)],
    jax=_jax_slice,
    access=lambda x, *, start, stop, step: (
        tuple(Along(axis, a, a, s) for axis, (a, s) in enumerate(zip(start, step, strict=True))),
    ),
    pointwise=False,
    memory="view",
    cost=copying(_infer_slice),
    backends=("xla", "numpy"),
    samples=_samples_slice,
    part=_part_slice,
)

# --- concatenate -----------------------------------------------------------------------------------------


def _infer_concatenate(*types: ArrayType, axis: int) -> ArrayType:
    require_arrays("concatenate", *types)
    if not types:
        raise ValueError("need at least one array to concatenate")
    first = types[0]
    if first.ndim == 0:
        raise ValueError("zero-dimensional arrays cannot be concatenated")
    require_axis("concatenate", axis, first.ndim)
    for k, t in enumerate(types):
        if t.dtype != first.dtype:
            raise TypeError(f"concatenate takes operands of one dtype, got {first} and {t}")
        if t.ndim != first.ndim:
            raise ValueError(
                "all the input array dimensions except for the concatenation axis must match exactly, but the "
                f"array at index 0 has {first.ndim} dimension(s) and the array at index {k} has {t.ndim} dimension(s)"
            )
        for a, (n, m) in enumerate(zip(first.shape, t.shape, strict=True)):
            if a != axis and not same_extent(n, m):
                raise ValueError(
                    "all the input array dimensions except for the concatenation axis must match exactly, but along "
                    f"dimension {a}, the array at index 0 has size {n} and the array at index {k} has size {m}"
                )
    if any(isinstance(t.shape[axis], extents.Length) for t in types):
        raise TypeError("concatenate takes no operands of which the program computes the length along that axis")
    total: Extent = 0
    for t in types:
        total = total + t.shape[axis]
    return first.with_shape((*first.shape[:axis], total, *first.shape[axis + 1 :]))


def _access_concatenate(*types: ArrayType, axis: int) -> tuple[OperandAccess, ...]:
    found: list[OperandAccess] = []
    offset: Extent = 0
    for t in types:
        found.append(tuple(Along(a, -offset, -offset) if a == axis else Along(a) for a in range(t.ndim)))
        offset = offset + t.shape[axis]
    return tuple(found)


def _samples_concatenate() -> Iterator[Sample]:
    for name in DTYPES:
        yield Sample((f"{name}[2,3]", f"{name}[2,1]", f"{name}[2,2]"), {"axis": 1})
    for shapes, axis in [(("3",), 0), (("0", "2"), 0), (("2,0", "3,0"), 0), (("1,2,3", "4,2,3"), 0), (("1", "1"), 0)]:
        yield Sample(tuple(f"f64[{s}]" for s in shapes), {"axis": axis})


#: Arrays end to end along an axis.
CONCATENATE = Op(
    name="concatenate",
    numpy="numpy.concatenate(arrays, axis)",
    infer=_infer_concatenate,
    evaluate=lambda xp, *arrays, axis: xp.concatenate(arrays, axis),
    jax=lambda jax, *arrays, axis: jax.lax.concatenate(arrays, axis),
    access=_access_concatenate,
    pointwise=False,
    memory="fresh",
    cost=copying(_infer_concatenate),
    backends=("xla", "numpy"),
    samples=_samples_concatenate,
    part="same",
)

# --- pad -------------------------------------------------------------------------------------------------


def _infer_pad(x: ArrayType, value: ArrayType, *, low: tuple[Extent, ...], high: tuple[Extent, ...]) -> ArrayType:
    require_arrays("pad", x, value)
    if value.shape != () or value.dtype != x.dtype:
        raise TypeError(f"pad takes an array and a scalar of its dtype, got {x}, {value}")
    if not len(low) == len(high) == x.ndim:
        raise ValueError(f"pad of {x.ndim} axes needs as many widths, got {len(low)} and {len(high)}")
    if any(isinstance(w, int) and w < 0 for w in (*low, *high)):
        raise ValueError("index can't contain negative values")
    return x.with_shape(tuple(a + n + b for a, n, b in zip(low, x.shape, high, strict=True)))


def _pad(xp: Any, x: Any, value: Any, *, low: tuple[int, ...], high: tuple[int, ...]) -> Any:
    result = np.full([a + n + b for a, n, b in zip(low, x.shape, high, strict=True)], value, x.dtype)
    result[tuple(slice(a, a + n) for a, n in zip(low, x.shape, strict=True))] = x
    return result


def _samples_pad() -> Iterator[Sample]:
    for name in DTYPES:
        yield Sample((f"{name}[2,3]", f"{name}[]"), {"low": (1, 0), "high": (0, 2)})
    for shape, low, high in [("0", (1,), (2,)), ("3", (0,), (0,)), ("", (), ()), ("1,2,1", (0, 1, 2), (3, 0, 0))]:
        yield Sample((f"f64[{shape}]", "f64[]"), {"low": low, "high": high})


def _part_pad(
    operands: Parts, given: Places, wanted: Place, whole: Types, *, low: tuple[int, ...], high: tuple[int, ...]
) -> Value:
    widths = []
    for (first, last), (begin, end), a in zip(wanted, given[0], low, strict=True):
        # What is there of the array stands at begin + a of the result; without any, the border is all there is.
        before = begin + a - first if begin < end else last - first
        widths.append((before, last - first - before - (end - begin)))
    lower, upper = zip(*widths, strict=True) if widths else ((), ())
    return apply(PAD, *operands, low=lower, high=upper)


#: A border of one value around an array.
PAD = Op(
    name="pad",
    numpy="numpy.pad(x, ((low, high), ...), constant_values=value)",
    infer=_infer_pad,
    evaluate=_pad,
    jax=lambda jax, x, value, *, low, high: jax.lax.pad(x, value, [(a, b, 0) for a, b in zip(low, high, strict=True)]),
    access=lambda x, value, *, low, high: (tuple(Along(axis, -a, -a) for axis, a in enumerate(low)), ()),
    pointwise=False,
    memory="fresh",
    cost=copying(_infer_pad),
    backends=("xla", "numpy"),
    samples=_samples_pad,
    part=_part_pad,
)

# --- roll ------------------------------------------------------------------------------------------------


def _infer_roll(x: ArrayType, *, shift: int, axis: int) -> ArrayType:
    require_arrays("roll", x)
    require_axis("roll", axis, x.ndim)
    return x


def _jax_roll(jax: Any, x: Any, *, shift: int, axis: int) -> Any:
    extent = x.shape[axis]
    shift = shift % extent if extent else 0
    if shift == 0:
        return x
    cut = extent - shift
    upper = jax.lax.slice_in_dim(x, cut, extent, axis=axis)
    return jax.lax.concatenate([upper, jax.lax.slice_in_dim(x, 0, cut, axis=axis)], axis)


def _samples_roll() -> Iterator[Sample]:
    for name in DTYPES:
        yield Sample((f"{name}[5]",), {"shift": 2, "axis": 0})
    for shape, shift, axis in [
        ("3,4", -1, 1), ("3,4", 7, 0), ("0,2", 1, 0), ("1,3", 5, 0), ("4", 0, 0), ("2,3,4", 3, 2)
    ]:  # fmt: skip
        yield Sample((f"f64[{shape}]",), {"shift": shift, "axis": axis})


#: Cyclic shift along an axis.
ROLL = Op(
    name="roll",
    numpy="numpy.roll(x, shift, axis)",
    infer=_infer_roll,
    evaluate=lambda xp, x, *, shift, axis: xp.roll(x, shift, axis),
    jax=_jax_roll,
    access=lambda x, *, shift, axis: (tuple(WHOLE if a == axis else Along(a) for a in range(x.ndim)),),
    pointwise=False,
    memory="fresh",
    cost=copying(_infer_roll),
    backends=("xla", "numpy"),
    samples=_samples_roll,
)

# --- diagonal --------------------------------------------------------------------------------------------


def _diagonal_bounds(rows: int, columns: int, offset: int) -> tuple[int, int, int]:
    """Row and column where the diagonal starts, and its length."""
    row, column = max(0, -offset), max(0, offset)
    return row, column, max(0, min(rows - row, columns - column))


def _infer_diagonal(x: ArrayType, *, offset: int, axis1: int, axis2: int) -> ArrayType:
    require_arrays("diagonal", x)
    if x.ndim < 2:
        raise ValueError("diag requires an array of at least two dimensions")
    require_axis("diagonal", axis1, x.ndim)
    require_axis("diagonal", axis2, x.ndim)
    if axis1 == axis2:
        raise ValueError("axis1 and axis2 cannot be the same")
    if not extents.is_static((x.shape[axis1], x.shape[axis2])):
        raise ValueError(f"diagonal of a symbolic extent: {x}")
    length = _diagonal_bounds(x.shape[axis1], x.shape[axis2], offset)[2]
    return x.with_shape((*(n for a, n in enumerate(x.shape) if a not in (axis1, axis2)), length))


def _jax_diagonal(jax: Any, x: Any, *, offset: int, axis1: int, axis2: int) -> Any:
    rest = [a for a in range(x.ndim) if a not in (axis1, axis2)]
    x = jax.lax.transpose(x, [*rest, axis1, axis2])
    columns = x.shape[-1]
    row, column, length = _diagonal_bounds(x.shape[-2], columns, offset)
    lead = x.shape[:-2]
    if not length:
        return jax.lax.full((*lead, 0), 0, x.dtype)
    # In the flattened rows the diagonal is a slice of stride columns + 1: no index array, and it fuses.
    rows = jax.lax.slice_in_dim(x, row, row + length, axis=-2)
    flat = jax.lax.reshape(rows, (*lead, length * columns))
    last = column + (length - 1) * (columns + 1)
    return jax.lax.slice_in_dim(flat, column, last + 1, columns + 1, axis=-1)


def _access_diagonal(x: ArrayType, *, offset: int, axis1: int, axis2: int) -> tuple[OperandAccess, ...]:
    row, column = max(0, -offset), max(0, offset)
    rest = [a for a in range(x.ndim) if a not in (axis1, axis2)]
    found: list[AxisAccess] = []
    for a in range(x.ndim):
        shift = {axis1: row, axis2: column}.get(a)
        found.append(Along(rest.index(a)) if shift is None else Along(x.ndim - 2, shift, shift))
    return (tuple(found),)


def _samples_diagonal() -> Iterator[Sample]:
    for name in DTYPES:
        yield Sample((f"{name}[3,4]",), {"offset": 0, "axis1": 0, "axis2": 1})
    for shape, offset, axis1, axis2 in [
        ("4,3", 1, 0, 1), ("4,3", -2, 0, 1), ("3,4", 2, 1, 0), ("2,3,4", 1, 0, 2), ("2,3,4", -1, 2, 1),
        ("3,3", 5, 0, 1), ("3,3", -5, 0, 1), ("0,3", 0, 0, 1), ("1,1", 0, 0, 1), ("0,3,3", 0, 1, 2),
    ]:  # fmt: skip
        yield Sample((f"f64[{shape}]",), {"offset": offset, "axis1": axis1, "axis2": axis2})


def _part_diagonal(
    operands: Parts, given: Places, wanted: Place, whole: Types, *, offset: int, axis1: int, axis2: int
) -> Value:
    # (Where it is split, the rows and columns of these elements are there, and no others.)
    moved = offset + given[0][axis1][0] - given[0][axis2][0]
    return apply(DIAGONAL, operands[0], offset=moved, axis1=axis1, axis2=axis2)


#: A diagonal of two axes, as the last axis.
DIAGONAL = Op(
    name="diagonal",
    numpy="numpy.diagonal(x, offset, axis1, axis2)",
    infer=_infer_diagonal,
    evaluate=lambda xp, x, *, offset, axis1, axis2: xp.diagonal(x, offset, axis1, axis2),
    jax=_jax_diagonal,
    access=_access_diagonal,
    pointwise=False,
    memory="view",
    cost=copying(_infer_diagonal),
    backends=("xla", "numpy"),
    samples=_samples_diagonal,
    part=_part_diagonal,
)
