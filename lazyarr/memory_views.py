"""Views that are given by their place in memory: an offset and strides."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lazyarr import strides as geometry
from lazyarr import views
from lazyarr.array import LazyArray
from lazyarr.decompose import decompose
from lazyarr.ir.extents import is_static
from lazyarr.ir.node import Value
from lazyarr.runtime import NotCaptured
from lazyarr.strides import Index


@dataclass(frozen=True, slots=True)
class Overlapping(views.Strided):
    """A view that has elements of its base several times: what a write leaves there depends on NumPy's order."""

    def write(self, base: Value, new: Value) -> Value:
        raise NotCaptured("a view is written to that has elements of its array several times")


def repeats(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    """Whether a view may have an element of memory at two places; of regular geometries that is known exactly."""
    if 0 in shape:
        return False
    reach = 0
    for step, n in sorted((abs(s), n) for s, n in zip(strides, shape, strict=True) if n > 1):
        if step <= reach:
            return True
        reach += step * (n - 1)
    return False


def strided_view(array: LazyArray, shape: tuple[int, ...], strides: tuple[int, ...]) -> LazyArray | None:
    """The view of an array's memory that begins with its first element, of any geometry.

    Returns
    -------
    LazyArray or None
        None where it is no view of elements that the array's memory is known to have.
    """
    root = array
    while root._parent is not None:
        root = root._parent
    width = array.dtype.itemsize
    if root.dtype != array.dtype or not is_static(root._shape) or root._form is not None or array._form is not None:
        return None
    # (An offset that data decides equals none.)
    if array._offset != array._offset or any(s % width for s in (*strides, array._offset)):
        return None
    order = tuple(sorted(range(len(root._shape)), key=lambda axis: -root._strides[axis]))
    packed = root._transposed(order)
    if packed._strides != geometry.contiguous(packed._shape, width):
        return None
    size = math.prod(root._shape)
    reach = [(n - 1) * s for n, s in zip(shape, strides, strict=True)]
    first = array._offset + sum(r for r in reach if r < 0)
    last = array._offset + sum(r for r in reach if r > 0)
    if 0 in shape or first < 0 or last >= size * width:
        return None
    flat = packed._view(views.Reshape(packed._shape, (size,)), (size,), (width,))
    found = view_of_flat(flat, array._offset, shape, strides)
    found._writeable = array._writeable
    return found


def view_of_flat(base: LazyArray, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> LazyArray:
    """The view of a flat array at a byte offset with the given geometry, by slices where slices can say it."""
    width = base.dtype.itemsize
    found = decompose(base.shape, base.strides, width, offset, shape, strides)
    if found is None:
        steps = tuple(s // width for s in strides)
        kind = Overlapping if repeats(shape, strides) else views.Strided
        return base._view(kind(offset // width, shape, steps), shape, strides, offset)
    source = base
    if found.regroup is not None:
        axes, wanted = found.regroup
        source = source._transposed(tuple(axes))
        packed = geometry.reshape(source.shape, source.strides, width, tuple(wanted), "C")
        assert packed is not None
        source = source._view(views.Reshape(source.shape, tuple(wanted)), tuple(wanted), packed)
    start, inner, inner_strides, normal = geometry.index(source.shape, source.strides, found.key())
    assert isinstance(normal, Index)
    view = source._view(views.Box(normal, inner), inner, inner_strides, start)
    view = view._transposed(tuple(found.perm))
    return view._view(views.Reshape(view.shape, shape), shape, strides)
