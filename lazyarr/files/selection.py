"""Which elements a key of integers and slices selects of a data set, and of those again a part."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lazyarr.ir.layout import Range


@dataclass(frozen=True)
class Selection:
    """Ranges of a data set's axes.

    Attributes
    ----------
    axes : tuple of int or range
        For each axis of the data set an index, which is no axis of the result, or the indices that are selected.
    """

    axes: tuple[int | range, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what is selected."""
        return tuple(len(r) for r in self.axes if isinstance(r, range))

    def part(self, box: Sequence[Range]) -> tuple[int | slice, ...]:
        """The key of a part of what is selected, in which it has an index or more along each axis."""
        ranges = iter(box)
        found: list[int | slice] = []
        for axis in self.axes:
            if isinstance(axis, int):
                found.append(axis)
            else:
                start, stop = next(ranges)
                part = axis[start:stop]
                found.append(slice(part.start, part[-1] + 1, part.step))
        return tuple(found)


def select(key: Any, shape: Sequence[int]) -> Selection | None:
    """What a key selects; None for other keys than integers in range, slices that go forward, and ``...``."""
    items = list(key) if isinstance(key, tuple) else [key]
    dots = [k for k, item in enumerate(items) if item is Ellipsis]
    if len(dots) > 1 or len(items) - len(dots) > len(shape):
        return None
    more = len(shape) - (len(items) - len(dots))
    at = dots[0] if dots else len(items)
    items[at : at + len(dots)] = [slice(None)] * more
    found: list[int | range] = []
    for item, extent in zip(items, shape, strict=True):
        if isinstance(item, slice):
            bounds = (item.start, item.stop, item.step)
            if not all(x is None or _is_index(x) for x in bounds) or (item.step is not None and item.step < 1):
                return None
            found.append(range(*item.indices(extent)))
        elif _is_index(item) and -extent <= item < extent:
            found.append(operator.index(item) % extent)
        else:
            return None
    return Selection(tuple(found))


def _is_index(x: Any) -> bool:
    return isinstance(x, (int, np.integer)) and not isinstance(x, bool)
