"""`numpy.lib.stride_tricks.sliding_window_view`: each place of a window as slices of the array, one for each offset."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from lazyarr import views
from lazyarr.array import LazyArray
from lazyarr.convert import as_lazy
from lazyarr.dispatch import NotCompiled, implements
from lazyarr.ir.extents import is_static
from lazyarr.ir.node import Value
from lazyarr.runtime import NotCaptured, recording

#: Elements of a window up to which there is a slice for each; larger ones are gathered.
_SLICES = 64


@dataclass(frozen=True, slots=True)
class Windows:
    """All places of windows along some axes, as new axes at the end; nothing writes through it.

    Attributes
    ----------
    lengths, axes : tuple of int
        Of each window, and the axis it moves along.
    shape : tuple of int
        Of the view.
    """

    lengths: tuple[int, ...]
    axes: tuple[int, ...]
    shape: tuple[int, ...]

    def read(self, base: Value) -> Value:
        from lazyarr.numpy import stack

        x, count = LazyArray._new(base), len(self.lengths)
        places = self.shape[: len(self.shape) - count]
        rows = []
        for offsets in product(*map(range, self.lengths)):
            begin = [0] * len(places)
            for axis, offset in zip(self.axes, offsets, strict=True):
                begin[axis] += offset
            rows.append(x[tuple(slice(b, b + n) for b, n in zip(begin, places, strict=True))])
        together = stack(rows).reshape(*self.lengths, *places)
        value: Value = together.transpose(*range(count, together.ndim), *range(count))._value()
        return value

    def write(self, base: Value, new: Value) -> Value:
        raise AssertionError("a view of windows is read-only")

    def view(self, base: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.lib.stride_tricks.sliding_window_view(base, self.lengths, self.axes)


@implements(np.lib.stride_tricks.sliding_window_view)
def sliding_window_view(
    x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> LazyArray:
    """As `numpy.lib.stride_tricks.sliding_window_view`; its result is read-only.

    (With `writeable` plain Python runs an accelerated function. Outside of those writes are an error.)
    """
    if writeable and recording().observer is not None:
        raise NotCaptured("a view of windows that is written to")
    array = as_lazy(x)
    if not is_static(array.shape):
        raise NotCompiled("a view of windows of an array of which the program computes the length")
    # Only its shape is looked at: NumPy says what is wrong with the windows, and what the view is like.
    like = np.lib.stride_tricks.as_strided(np.empty((), array.dtype), array.shape, array.strides)
    seen = np.lib.stride_tricks.sliding_window_view(like, window_shape, axis)
    lengths = tuple(int(n) for n in (window_shape if np.iterable(window_shape) else (window_shape,)))
    axes = range(array.ndim) if axis is None else axis if np.iterable(axis) else (axis,)
    step: Any = Windows(lengths, tuple(int(a) % array.ndim for a in axes), seen.shape)
    if math.prod(lengths) > _SLICES or not math.prod(seen.shape):
        width = array.dtype.itemsize
        flat = np.lib.stride_tricks.as_strided(like, strides=np.empty(array.shape, array.dtype).strides)
        steps = np.lib.stride_tricks.sliding_window_view(flat, window_shape, axis).strides
        step = views.Strided(0, seen.shape, tuple(s // width for s in steps))
    found = array._view(step, seen.shape, seen.strides, 0)
    found._writeable = False
    return found
