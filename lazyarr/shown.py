"""What NumPy is shown of a lazy array: its elements, standing in memory as the array says they do.

Values keep the order in which they were computed: who copies a lazy array to another order copies nothing. Memory is
put in order where somebody looks at it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lazyarr import strides as geometry
from lazyarr import world
from lazyarr.ir.extents import bounded, is_static
from lazyarr.ir.types import ArrayType
from lazyarr.leaves import Leaf, leaf
from lazyarr.runtime import as_numpy, evaluate, fetch, recording, storage_lock

#: A view of less than this part of its array is put in order by itself.
_LITTLE = 4


def elements(array: Any) -> np.ndarray[Any, Any]:
    """The elements of a lazy array, computed now if they are not yet; not to be written to."""
    first, data = array if array._form is None else array._form, None
    if not isinstance(array._cell.value.node, Leaf):
        data = as_numpy(evaluate([array._value()])[0])
        if first._parent is not None:
            return laid_out(np.asarray(data), array.strides)
    steps, at = path(first)
    base = np.asarray(as_numpy(fetch(array._cell.value)) if data is None else data)
    found = through(steps, base)
    if is_laid_out(found, array.strides):
        return found
    if at._form is None and found.size * _LITTLE >= base.size and (kept := _kept(at, base)) is not None:
        found = through(steps, kept)
    return laid_out(found, array.strides)


def path(array: Any) -> tuple[list[Any], Any]:
    """The steps by which an array is a view of views, its own first, and the array at their end, which is none."""
    steps = []
    while array._parent is not None:
        steps.append(array._step)
        array = array._parent
    return steps, array


def through(steps: list[Any], data: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """What an array sees of data by the steps of its `path`."""
    for step in reversed(steps):
        data = step.view(data)
    return data


def _kept(owner: Any, data: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
    """What an array that is no view holds, put in order once and for all; None where it is not its cell's to keep."""
    now, value = recording(), owner._cell.value
    if now.observer is not None or world.active or not isinstance(value.node, Leaf) or value.node.data is not data:
        return None
    found = laid_out(data, owner._strides)
    if found is not data:
        kept = leaf(found, ArrayType(found.dtype, found.shape), value.node.constant)
        with storage_lock:
            if owner._cell.value is value:  # (or another thread has written)
                owner._cell.value = kept
    return found


def visited(shape: tuple[int, ...], strides: tuple[int, ...]) -> list[int]:
    """Axes from the outermost in memory to the innermost, as NumPy goes over them."""
    extents = shape if is_static(shape) else bounded(shape)
    dense = geometry.keep_order([(extents, strides)], extents, 1)
    return sorted(range(len(shape)), key=lambda k: -dense[k])


def _moving(data: np.ndarray[Any, Any], strides: tuple[int, ...]) -> list[int]:
    return [k for k in visited(data.shape, strides) if data.shape[k] != 1]


def is_laid_out(data: np.ndarray[Any, Any], strides: tuple[int, ...]) -> bool:
    """Whether elements stand in the order that strides say."""
    if data.strides == strides or data.size < 2:
        return True
    for is_so in (geometry.is_c_contiguous, geometry.is_f_contiguous):
        if is_so(data.shape, strides, data.itemsize):
            return is_so(data.shape, data.strides, data.itemsize)
    return _moving(data, strides) == _moving(data, data.strides)


def laid_out(data: np.ndarray[Any, Any], strides: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Elements in the order in memory that strides say: copied, without gaps, where they stand in another."""
    if is_laid_out(data, strides):
        return data
    if geometry.is_c_contiguous(data.shape, strides, data.itemsize):
        return data.copy()
    order = visited(data.shape, strides)
    return data.transpose(order).copy().transpose(np.argsort(order))


__all__ = ["elements", "is_laid_out", "laid_out", "path", "through", "visited"]
