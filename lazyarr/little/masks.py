"""What masks select of much data, and writes to it: done at once, in C.

How much a mask selects only its data knows, so that has to be computed in any case. What is selected is then copied
in less time than positions are made of the mask and recorded (`masks.c`: once over the mask, twice where NumPy's own
selection would mispredict each second element).
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.eager import UNFUSED
from lazyarr.gains import gains
from lazyarr.ir.extents import is_static
from lazyarr.ir.node import Value
from lazyarr.leaves import Leaf
from lazyarr.little.data import held, is_whole, limits, made, own_large, run, tracing
from lazyarr.little.extension import compiled
from lazyarr.runtime import evaluate, flush, recording, storage_lock
from lazyarr.world import active as ranks

_ndarray = np.ndarray
_BOOL = np.dtype(bool)


def selected(array: LazyArray, key: Any) -> Any:
    """``array[key]`` where the key is one mask over the first axes of much data, or few positions; else None."""
    if _are_few_positions(array, key):
        positions = _computed(key)[0]
        return made(chosen(held(array), positions))
    if not _applies(array, key):
        return None
    mask, x = _computed(key, array)
    if x.strides != array.strides:
        return None  # The layout of the result follows that of the array, which its data has not.
    return made(chosen(x, mask))


def chosen(x: Any, at: Any) -> Any:
    """``x[at]`` of data, by a mask or positions, or a tuple with such: in C where that is done there."""
    only = at[0] if type(at) is tuple and len(at) == 1 else at
    found = None if compiled is None or type(only) is not _ndarray else compiled.select(x, only)
    return run(operator.getitem, x, at) if found is None else found


def put(array: LazyArray, key: Any, value: Any) -> bool:
    """``array[key] = value`` where the key is one mask, and the values a row for each element that it selects.

    False where that is not done here. (One value for all is recorded: a selection of one of two, which can be part of
    what else is computed.)
    """
    kind = type(value)
    if (kind is not LazyArray and kind is not _ndarray) or not _applies(array, key):
        return False
    light = array._mine is not None or array._lent is not None
    if not (light or is_whole(array)) or not is_static(value.shape) or value.dtype != array.dtype:
        return False
    if len(value.shape) != len(array.shape) - len(key.shape) + 1 or value.shape[0] == 1:
        return False
    # (Nothing may refer to the array's own data.)
    mask, y = (_computed(key, value) if light else _computed(key, value, array))[:2]
    with storage_lock:
        x = own_large(array)
    if x is None:
        # What is pending has the data.
        flush(recording())
    with storage_lock:
        x = own_large(array)
        if x is None:
            return False
        if compiled is None or not compiled.put(x, mask, y):
            run(operator.setitem, x, mask, y)
    return True


def _are_few_positions(array: LazyArray, key: Any) -> bool:
    """Whether a key is positions that are not computed, of data: they have to be, to see whether all are there."""
    if type(key) is not LazyArray or key.dtype.kind not in "iu" or ranks or tracing() is not None:
        return False
    x = held(array)
    if type(x) is not _ndarray or not x.ndim or not len(x) or not is_static(key.shape) or not key.shape:
        return False
    return bool(max(x.size, key.size * (x.size // len(x))) * UNFUSED * gains.times < limits.elements)


def _applies(array: LazyArray, key: Any) -> bool:
    kind = type(key)
    if (kind is not LazyArray and kind is not _ndarray) or key.dtype != _BOOL or not limits.elements or ranks:
        return False
    if tracing() is not None or not is_static(array.shape) or not is_static(key.shape):
        return False
    extents: tuple[int, ...] = key.shape
    return len(extents) > 0 and array.shape[: len(extents)] == extents and array.size >= limits.elements


def _computed(*arrays: Any) -> list[Any]:
    """The data of arrays, computed together where it is not there, only to be read."""
    pending: list[Value] = []
    for x in arrays:
        if type(x) is LazyArray and held(x) is None and not isinstance(x._cell.value.node, Leaf):
            pending.append(x._value())
    if len(pending) > 1:
        evaluate(pending)
    found = []
    for x in arrays:
        data = held(x) if type(x) is LazyArray else x
        found.append(x._elements("what a mask selects", only_looks=True) if data is None else data)
    return found
