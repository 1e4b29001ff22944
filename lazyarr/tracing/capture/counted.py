"""What a loop runs over, as a count and an item for each index: ranges, arrays, enumerate, zip, products of these."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.computed import ComputedScalar, computed, number_of
from lazyarr.computed_arithmetic import smaller
from lazyarr.ir.extents import Length
from lazyarr.runtime import NotCaptured, recording
from lazyarr.weak import WeakScalar

#: Iterations up to which a loop is written out: its indices are then known, and its iterations fuse.
FEW_TRIPS = 4


@dataclass(frozen=True)
class Counted:
    """A sequence known by index.

    Attributes
    ----------
    start, stop, step : int or ComputedScalar
        Indices, as `range` gives them.
    item : callable
        The item for an index (an int or a ComputedScalar).
    """

    start: Any
    stop: Any
    step: Any
    item: Callable[[Any], Any]

    @property
    def trips(self) -> int | None:
        """How many iterations, if that is known."""
        if all(type(x) is int for x in (self.start, self.stop, self.step)):
            return len(range(self.start, self.stop, self.step))
        return None

    def __iter__(self) -> Iterator[Any]:
        for index in range(self.start, self.stop, self.step):
            yield self.item(index)


class Range(Counted):
    """A range of which not all numbers are known."""

    def as_index(self) -> list[int]:
        """Its numbers, as an index: Python has to know them."""
        return list(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return np.array(self.as_index(), np.int64 if dtype is None else dtype)


def lazy_range(*args: Any) -> Any:
    """``range`` of numbers that need not be known."""
    if not args or len(args) > 3:
        return range(*args)
    bounds = [_bound(x) for x in args]
    if all(type(b) is int for b in bounds):
        return range(*bounds)
    start, stop, step = (0, bounds[0], 1) if len(bounds) == 1 else (*bounds, 1)[:3]
    if type(step) is ComputedScalar and step.low <= 0 <= step.high:
        raise NotCaptured("a range whose step may be 0")
    return Range(start, stop, step, lambda index: index)


def _bound(x: Any) -> Any:
    """One argument of ``range``: an int, or a computed one."""
    if type(x) is int:
        return x
    if type(x) is ComputedScalar:
        return x.__index__() if x.kind is bool else x
    if isinstance(x, WeakScalar):
        counts = getattr(recording().observer, "counts", None)
        # (Few iterations, and none, are programs of their own.)
        if counts is not None and x.python_type is int and x > FEW_TRIPS:  # type: ignore[operator]
            counts.append(x)
            return computed(x)
        return x.__index__()  # type: ignore[attr-defined]  # the program is compiled for its value
    if isinstance(x, Length):
        return length_number(x)
    if isinstance(x, LazyArray) and x.dtype.kind in "iu" and not x.ndim:
        from lazyarr.computed import scalar_of_array

        return scalar_of_array(x, int)
    return x.__index__() if hasattr(x, "__index__") else range(x)


def length_number(x: Any) -> Any:
    """An extent as a Python number."""
    return x if type(x) is int else number_of(x.scalar, 0, x.bound)


def counted(iterable: Any) -> Counted | None:
    """`iterable` by index; None for what only Python can run over."""
    if isinstance(iterable, Counted):
        return iterable
    if type(iterable) is range:
        return Counted(iterable.start, iterable.stop, iterable.step, lambda index: index)
    if isinstance(iterable, LazyArray) and iterable.ndim:
        return Counted(0, length_number(iterable.shape[0]), 1, lambda index: iterable[index])
    return None


def lazy_enumerate(iterable: Any, start: Any = 0) -> Any:
    """``enumerate`` by index where that is possible."""
    inner = counted(iterable)
    if inner is None:
        return enumerate(iterable, start)
    first, step = inner.start, inner.step
    if type(step) is not int:
        raise NotCaptured("enumerate of a range of unknown step")
    return Counted(inner.start, inner.stop, step,
                   lambda index: ((index - first) // step + start, inner.item(index)))  # fmt: skip


def lazy_zip(*iterables: Any, strict: bool = False) -> Any:
    """``zip`` by index where that is possible."""
    parts = [counted(x) for x in iterables]
    if not parts or any(p is None or type(p.step) is not int for p in parts):
        return zip(*iterables, strict=strict)
    known = [p for p in parts if p is not None]
    lengths = [p.trips for p in known]
    if any(n is None for n in lengths):
        if any(p.start != 0 or p.step != 1 for p in known if type(p.start) is int) or strict:
            raise NotCaptured("zip of ranges of unknown length")
        stop: Any = known[0].stop
        for p in known[1:]:
            stop = smaller(stop, p.stop)
    else:
        stop = min(n for n in lengths if n is not None)
        if strict and len(set(lengths)) > 1:
            return zip(*iterables, strict=True)
    return Counted(0, stop, 1, lambda index: tuple(p.item(p.start + index * p.step) for p in known))


def lazy_reversed(iterable: Any) -> Any:
    """``reversed`` by index where that is possible."""
    inner = counted(iterable) if isinstance(iterable, Range | range | LazyArray) else None
    if inner is None:
        return reversed(iterable)
    if inner.trips is not None:
        back = range(inner.start, inner.stop, inner.step)[::-1]
        return Counted(back.start, back.stop, back.step, inner.item)
    if type(inner.step) is not int:
        raise NotCaptured("the reverse of a range of unknown step")
    size = abs(inner.step)
    distance = inner.stop - inner.start if inner.step > 0 else inner.start - inner.stop
    last = inner.start + ((distance + (size - 1)) // size - 1) * inner.step
    return Counted(last, inner.start - inner.step, -inner.step, inner.item)


@dataclass(frozen=True)
class Product:
    """Loops in one another that are written as one: ``itertools.product``, ``np.ndindex``, ``np.ndenumerate``.

    Attributes
    ----------
    parts : tuple of Counted
        What each of them runs over, from the outermost.
    item : callable
        The item for a tuple of theirs.
    """

    parts: tuple[Counted, ...]
    item: Callable[[tuple[Any, ...]], Any]

    def __iter__(self) -> Iterator[Any]:
        return map(self.item, itertools.product(*self.parts))


def lazy_product(*iterables: Any, repeat: Any = 1) -> Any:
    """``itertools.product`` by index where that is possible."""
    parts = [counted(x) for x in iterables]
    if not parts or type(repeat) is not int or repeat < 1 or any(p is None for p in parts):
        return itertools.product(*iterables, repeat=repeat)
    return Product(tuple(p for p in parts if p is not None) * repeat, lambda taken: taken)


def lazy_ndindex(*shape: Any) -> Any:
    """``np.ndindex`` by index where that is possible."""
    extents = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
    if not extents or any(
        (n.kind is not int or n.low < 0) if type(n) is ComputedScalar
        else not isinstance(n, Length) and (not isinstance(n, (int, WeakScalar)) or n < 0)  # type: ignore[operator]
        for n in extents
    ):  # fmt: skip
        return np.ndindex(*shape)  # Of negative numbers it is an error.
    parts = [counted(lazy_range(n)) for n in extents]
    return Product(tuple(p for p in parts if p is not None), lambda taken: taken)


def lazy_ndenumerate(arr: Any) -> Any:
    """``np.ndenumerate`` by index where that is possible."""
    if not isinstance(arr, LazyArray) or not arr.ndim:
        return np.ndenumerate(arr)
    parts = tuple(Counted(0, length_number(n), 1, lambda index: index) for n in arr.shape)
    return Product(parts, lambda taken: (taken, arr[taken]))
