"""What a call does to what its caller has, and how it sees that: arrays, lists, dicts and objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lazyarr import views
from lazyarr.array import LazyArray, rebuild
from lazyarr.windows import Placed
from lazyarr.world import Part


def lazy_view(array: LazyArray, step: views.Step) -> LazyArray:
    """A view of a lazy array, as NumPy has it of an array that lies in memory as this one."""
    like = np.lib.stride_tricks.as_strided(np.empty(1, array.dtype), array.shape, array.strides)  # nobody looks into it
    seen = step.view(like)
    first, second = (x.__array_interface__["data"][0] for x in (like, seen))
    if isinstance(step, views.Reshape):
        # (Of arrays of which data decides the length: now it is known.)
        step = views.Reshape(array.shape, seen.shape, step.order)
    return array._view(step, seen.shape, seen.strides, second - first, seen.dtype)


def viewed(chain: Sequence[views.Step | Placed], array: Any, *numbers: Any) -> Any:
    """A view of an array, lazy or not, step by step; the numbers are those of steps that data places."""
    given = iter(numbers)
    for step in chain:
        if isinstance(step, Placed):
            array = step.view(array, given)
        else:
            array = lazy_view(array, step) if isinstance(array, LazyArray) else step.view(array)
    return array


def held(holder: Any) -> dict[Any, Any]:
    """What a dict or object holds, as a dict."""
    return holder if isinstance(holder, dict) else holder.__dict__


def snapshot(holder: Any) -> Any:
    """What a list, dict or object holds now."""
    return list(holder) if isinstance(holder, list) else dict(held(holder))


def replace_contents(holder: Any, new: Any) -> None:
    """Have a list, dict or object hold something else."""
    if isinstance(holder, list):
        holder[:] = new
        return
    contents = held(holder)
    for name in [name for name in contents if name not in new]:
        del contents[name]
    if list(contents) != list(new)[: len(contents)]:
        contents.clear()  # one was taken out, and put in again at the end
    contents.update(new)


def alter(array: np.ndarray[Any, Any], shape: tuple[int, ...], dtype: np.dtype[Any], writeable: bool) -> None:
    """Give a caller's array the shape, dtype and flag the function gave it."""
    if array.dtype != dtype:
        array.dtype = dtype  # type: ignore[misc]
    if array.shape != shape:
        array.shape = shape
    if array.flags.writeable != writeable:
        array.flags.writeable = writeable


def write(target: Any, data: Any) -> None:
    """Write what a whole array holds."""
    if isinstance(target, LazyArray):
        target._assign(rebuild(data)._value())
    else:
        np.copyto(target, np.asarray(data))


def owned(data: Any, order: tuple[int, ...]) -> Any:
    """Computed data as a NumPy array of the caller's own, its axes back in their order; a `Part` stays one."""
    from lazyarr.runtime import to_owned_numpy

    if isinstance(data, Part) and order == tuple(range(len(order))):
        return data
    array = to_owned_numpy(data)
    if not array.flags.c_contiguous:
        array = np.ascontiguousarray(array)  # (a copy of an argument, or what NumPy made in another order)
    if order == tuple(range(len(order))):
        return array
    inverse = [0] * len(order)
    for place, axis in enumerate(order):
        inverse[axis] = place
    return array.transpose(inverse)
