"""Operations that move elements: index maps where that is possible, elements made from indices otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lazyarr.backends.native_cast import cast
from lazyarr.backends.native_emit import Code, Element, Index
from lazyarr.backends.native_storage import (
    Along,
    Computed,
    Map,
    Pointwise,
    Rolled,
    Scalar,
    Storage,
    Strided,
    View,
    flattened,
    identity,
    view,
)
from lazyarr.ir.node import Node

if TYPE_CHECKING:
    from lazyarr.backends.native_frame import Frame

Made = Callable[["Frame", Node, list[Storage]], Storage]


def _scalar(storage: Storage) -> Index:
    """The value of an i64 scalar as an index."""
    assert isinstance(storage, Scalar)
    text = storage.value[0]
    return int(text) if text.lstrip("-").isdecimal() else text


def _mapped(frame: Frame, node: Node, x: Storage, map: Map) -> Storage:
    shape, bounds = frame.shape(node.types[0])
    return view(frame.code, x, map, shape, bounds)


def window_map(c: Code, array: Storage, dims: Sequence[tuple[Any, ...]], scalars: Sequence[Storage]) -> Map:
    """The index map of a window of an array.

    An index that is known to be out of range is none that NumPy gets to, and is not to read what is no memory of ours.
    """
    found: list[Along] = []
    values = iter(scalars)
    axis = 0
    for dim in dims:
        if dim[0] == "index":
            index = _scalar(next(values))
            beyond = isinstance(index, int) and not 0 <= index < array.bounds[len(found)]
            found.append(Along(0 if beyond else index, -1, 0))
            continue
        if dim[0] == "all":
            found.append(Along(0, axis, 1))
        elif dim[0] == "block":
            found.append(Along(_scalar(next(values)), axis, dim[2]))
        else:
            start, _ = next(values), next(values)
            found.append(Along(_scalar(start), axis, dim[1]))
        axis += 1
    return tuple(found)


def slice_map(start: Sequence[int], step: Sequence[int]) -> Map:
    return tuple(Along(a, k, s) for k, (a, s) in enumerate(zip(start, step, strict=True)))


def broadcast_map(x: Storage, rank: int) -> Map:
    lead = rank - len(x.shape)
    return tuple(
        Along(0, -1, 0) if isinstance(n, int) and n == 1 else Along(0, lead + k, 1) for k, n in enumerate(x.shape)
    )


def _window(frame: Frame, node: Node, given: list[Storage]) -> Storage:
    return _mapped(frame, node, given[0], window_map(frame.code, given[0], node.kw["dims"], given[1:]))


def _slice(frame: Frame, node: Node, given: list[Storage]) -> Storage:
    return _mapped(frame, node, given[0], slice_map(node.kw["start"], node.kw["step"]))


def _dynamic_slice(frame: Frame, node: Node, given: list[Storage]) -> Storage:
    return _mapped(frame, node, given[0], dynamic_map(frame.code, given[0], node.kw["lengths"], given[1:]))


def dynamic_map(c: Code, x: Storage, lengths: Sequence[int], starts: Sequence[Storage]) -> Map:
    """A box at starts that are moved inside."""
    found = []
    for k, (n, length, start) in enumerate(zip(x.shape, lengths, starts, strict=True)):
        at = c.maximum(c.minimum(_scalar(start), c.sub(n, length)), 0)
        found.append(Along(at, k, 1))
    return tuple(found)


def _transpose(frame: Frame, node: Node, given: list[Storage]) -> Storage:
    axes = node.kw["axes"]
    return _mapped(frame, node, given[0], tuple(Along(0, axes.index(k), 1) for k in range(len(axes))))


def _broadcast(frame: Frame, node: Node, given: list[Storage]) -> Storage:
    return _mapped(frame, node, given[0], broadcast_map(given[0], node.types[0].ndim))


def _expand(frame: Frame, node: Node, given: list[Storage]) -> Storage:
    kept = [k for k in range(node.types[0].ndim) if k not in node.kw["axes"]]
    return _mapped(frame, node, given[0], tuple(Along(0, k, 1) for k in kept))


def _diagonal(frame: Frame, node: Node, given: list[Storage]) -> Storage:
    offset, one, two = node.kw["offset"], node.kw["axis1"], node.kw["axis2"]
    rest = [a for a in range(len(given[0].shape)) if a not in (one, two)]
    starts = {one: max(0, -offset), two: max(0, offset)}
    last = node.types[0].ndim - 1
    return _mapped(frame, node, given[0], tuple(
        Along(starts[a], last, 1) if a in starts else Along(0, rest.index(a), 1) for a in range(len(given[0].shape))
    ))  # fmt: skip


def _reshape(frame: Frame, node: Node, given: list[Storage]) -> Storage:
    x = given[0]
    shape, bounds = frame.shape(node.types[0])
    if shape == x.shape:
        return x
    if isinstance(x, Strided) and x.is_in_order:
        found = Strided.whole(frame.code, x.dtype, x.buffer, shape, bounds)
        found.limits = x.limits
        return found
    before = [k for k, n in enumerate(x.shape) if n != 1]
    after = [k for k, n in enumerate(shape) if n != 1]
    if [x.shape[k] for k in before] == [shape[k] for k in after]:
        # Only axes of length 1 come or go.
        axis = dict(zip(before, after, strict=True))
        map = tuple(Along(0, axis[k], 1) if k in axis else Along(0, -1, 0) for k in range(len(x.shape)))
        return view(frame.code, x, map, shape, bounds)
    if x.shape == ():
        return view(frame.code, x, (), shape, bounds)
    if node.values[0] in frame.plan.flattened:
        formula = flattened(x, shape, bounds)
        if formula is not None:
            return formula
    x = frame.materialize(x)
    return Strided.whole(frame.code, x.dtype, x.buffer, shape, bounds)


def _same(frame: Frame, node: Node, given: list[Storage]) -> Storage:
    return _mapped(frame, node, given[0], identity(len(given[0].shape)))


def _full(frame: Frame, node: Node, given: list[Storage]) -> Storage:
    shape, bounds = frame.shape(node.types[0])
    return View(given[0], (), shape, bounds)


def _iota(frame: Frame, node: Node, given: list[Storage]) -> Storage:
    dtype = node.types[0].dtype
    shape, bounds = frame.shape(node.types[0])

    def make(c: Code, at: tuple[Index, ...], seen: dict[Any, Any]) -> Element:
        if dtype == np.float16:
            single = c.emit(f"sitofp i64 {at[0]} to float")
            return (c.emit(f"fptrunc float {single} to half"),)
        return cast(c, np.dtype("i8"), dtype, (str(at[0]),))

    ramp = Computed(dtype, shape, bounds, make, (), 0.5)
    if dtype == np.int64:
        ramp.ramp = (0, 1)
    if dtype.kind in "iu":
        ramp.limits = (0, max(0, bounds[0] - 1))
    return ramp


def _gather(frame: Frame, node: Node, given: list[Storage]) -> Storage:
    x, indices = given[0], given[1:]
    axes = node.kw["axes"]
    shape, bounds = frame.shape(node.types[0])
    lead = len(shape) - (len(x.shape) - len(axes))

    def make(c: Code, at: tuple[Index, ...], seen: dict[Any, Any]) -> Element:
        if any(x.bounds[a] == 0 for a in axes):
            from lazyarr.backends.native_emit import literal

            return literal(0, x.dtype)
        return x.element(c, gathered(c, x, axes, indices, at, lead, seen), seen)

    return Computed(node.types[0].dtype, shape, bounds, make, given, 2.0)


def gathered(c: Code, x: Storage, axes: Sequence[int], indices: Sequence[Storage], at: Sequence[Index], lead: int,
             seen: dict[Any, Any]) -> tuple[Index, ...]:  # fmt: skip
    """Indices of `x` for an element of what is gathered: negative ones wrapped, all kept in range."""
    rest = [a for a in range(len(x.shape)) if a not in axes]
    found: list[Index] = [0] * len(x.shape)
    for a, i in zip(rest, at[lead:], strict=True):
        found[a] = i
    flat = _flattened(x, indices)
    if flat is not None:
        # An index beyond the last axis goes on in the next row.
        return 0, flat.element(c, tuple(at), seen)[0]
    for a, index in zip(axes, indices, strict=True):
        own = len(index.shape)
        where = tuple(0 if n == 1 and isinstance(n, int) else at[lead - own + k] for k, n in enumerate(index.shape))
        text: Index = index.element(c, where, seen)[0]
        extent = x.shape[a]
        low, high = index.limits or (-1, x.bounds[a])
        if low < 0:
            wrapped = c.emit(f"add i64 {text}, {extent}")
            negative = c.emit(f"icmp slt i64 {text}, 0")
            text = c.emit(f"select i1 {negative}, i64 {wrapped}, i64 {text}")
        if not (isinstance(extent, int) and high < extent):
            text = c.minimum(text, c.sub(extent, 1))
        found[a] = c.maximum(text, 0) if low < 0 or not isinstance(extent, int) else text
    return tuple(found)


def _flattened(x: Storage, indices: Sequence[Storage]) -> Storage | None:
    """The positions in the flattened `x` that two index arrays were made of by division; None if they were not."""
    if len(indices) != 2 or len(x.shape) != 2 or not (isinstance(x, Strided) and x.is_whole):
        return None
    row, column = indices
    if not (isinstance(row, Pointwise) and isinstance(column, Pointwise) and row.operands[0] is column.operands[0]):
        return None
    position = row.operands[0]
    size = x.bounds[0] * x.bounds[1]
    if row.apart != ("floor_divide", x.shape[1]) or column.apart != ("remainder", x.shape[1]):
        return None
    if position.limits is None or position.limits[0] < 0 or position.limits[1] >= size or x.shape != x.bounds:
        return None
    return position if position.shape == row.shape else None


def _roll(frame: Frame, node: Node, given: list[Storage]) -> Storage:
    x, axis = given[0], node.kw["axis"]
    return Rolled(x, axis, node.kw["shift"]) if x.bounds[axis] else x


#: Operations that give a value without moving data.
VIEWS: dict[str, Made] = {
    "window": _window, "slice": _slice, "dynamic_slice": _dynamic_slice, "transpose": _transpose,
    "broadcast": _broadcast, "spread": _broadcast, "expand": _expand, "diagonal": _diagonal, "reshape": _reshape,
    "as_extents": _same, "full": _full, "iota": _iota, "count": _iota, "gather": _gather, "roll": _roll,
}  # fmt: skip
