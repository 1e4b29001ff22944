"""What masks select of arrays that are split over ranks: each rank of its own part.

How much it is only the data knows, so masks are computed at once. Each rank counts what it has; the counts of all say
which indices of the result those are. They stay where they are, unless one rank has much more than others, or the
result is small: then elements go to who is to have them (`lazyarr.ops.rearrange`).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lazyarr import settings, views, world
from lazyarr.ir.extents import is_static
from lazyarr.ir.layout import Layout, Split, default, is_whole, length, place, whole
from lazyarr.ir.node import Value
from lazyarr.ir.types import ArrayType
from lazyarr.leaves import leaf
from lazyarr.ops.rearrange import rearrange
from lazyarr.runtime import as_numpy, evaluate, recording
from lazyarr.world import Part, World

Array = np.ndarray[Any, Any]
_I64 = np.dtype(np.int64)
#: How many times an even part a rank may have of what a mask selects, before that is split evenly.
_UNEVEN = 1.5


@dataclass(frozen=True)
class Mask:
    """What this rank has of a mask as a vector.

    Attributes
    ----------
    chosen : ndarray of int
        Which of its elements hold: their places in it.
    split : Split
    size : int
        Of the mask.
    counts : Split
        The indices that the selected elements have in the result, as ranks have them.
    world : World
    """

    chosen: Array
    split: Split
    size: int
    counts: Split
    world: World

    @staticmethod
    def of(array: Array, split: Split, size: int, world: World) -> Mask:
        """The mask whose selected elements all ranks count."""
        world.agree(f"selects by a mask of {size} elements", str(split))
        # (NumPy selects by a mask one element at a time, of rows; by indices it copies.)
        chosen = np.flatnonzero(array)
        counts = world.communicator.numbers(len(chosen), split.dim)
        order = sorted(range(len(counts)), key=lambda k: split.ranges[k])
        stops = list(itertools.accumulate(counts[k] for k in order))
        ranges = dict(zip(order, itertools.pairwise((0, *stops)), strict=True))
        return Mask(chosen, split, size, Split(split.dim, tuple(ranges[k] for k in range(len(counts)))), world)

    @property
    def count(self) -> int:
        """How many elements are selected, on all ranks."""
        return max(stop for _, stop in self.counts.ranges)

    @property
    def first(self) -> int:
        """The first index of this rank's part."""
        return self.split.ranges[self.world.communicator.place[self.split.dim]][0]

    def spread(self, mine: Array, rest: tuple[int, ...], layout: Layout) -> Value:
        """The value of what each rank has selected, one row for each element of the mask.

        Parameters
        ----------
        mine : ndarray
        rest : tuple of int
        layout : Layout
            Of the axes after the first one.
        """
        shape, have = (self.count, *rest), (self.counts, *layout)
        if math.prod(shape) < settings.current.split_above:
            want = whole(len(shape))
        else:
            want = have if self._is_even_enough() else default(shape, self.world.grid)
        return _value(_moved(mine, shape, have, want, self.world), want, shape, self.world)

    def _is_even_enough(self) -> bool:
        """Whether what ranks have selected stays with them: to even it out is as much as to send most of it."""
        lengths, parts = [length(part) for part in self.counts.ranges], len(self.counts.ranges)
        ascends = all(a[1] <= b[0] for a, b in itertools.pairwise(self.counts.ranges))
        return ascends and min(lengths) > 0 and max(lengths) * parts <= _UNEVEN * self.count

    def taken(self, rows: Value) -> Value:
        """For each element of the mask that holds the next row, for the others zeros."""
        (table,) = _evaluated(self.world, rows)
        rest = rows.type.shape[1:]
        start, stop = self.split.ranges[self.world.communicator.place[self.split.dim]]
        new = np.zeros((stop - start, *rest), rows.type.dtype)
        new[self.chosen] = _rows(table, self.counts, self.world)
        return _value(new, (self.split, *whole(len(rest))), (self.size, *rest), self.world, measured=False)


def _value(local: Array, layout: Layout, shape: tuple[int, ...], world: World, measured: bool = True) -> Value:
    data: Any = local if is_whole(layout) else Part(local, layout, shape, world, measured=measured)
    return leaf(data, ArrayType(local.dtype, shape))


def _moved(x: Array, shape: tuple[int, ...], have: Layout, want: Layout, world: World) -> Array:
    """What a rank has of an array in another layout."""
    if have == want:
        return x
    return rearrange(x, world.grid, world.communicator.place, shape, have, shape, want)


def _split_rows(data: Any) -> Split | None:
    """How the first axis of an array is split, if it is."""
    return data.layout[0] if isinstance(data, Part) else None


def _applies(*values: Value) -> World | None:
    """The ranks, if what they would select from may be split and can be looked at now.

    In an accelerated function masks are looked at where it runs in pieces, as arrays are that Python has to see.
    """
    together, observer = world.current(), recording().observer
    if together is None or getattr(observer, "computes_lengths", False):
        return None
    shapes = [value.type.shape for value in values]
    large = max(map(math.prod, shapes)) >= settings.current.split_above if all(map(is_static, shapes)) else False
    if not large or not all(map(math.prod, shapes)):
        return None
    if observer is not None:
        observer.looked("what a mask selects of an array that is split")
    return together


def _evaluated(together: World, *values: Value) -> list[Any]:
    found = [data if isinstance(data, Part) else np.asarray(as_numpy(data)) for data in evaluate(values)]
    for data in found:
        if isinstance(data, Part):
            data.move(together)
    return found


def _mask(data: Any, split: Split, together: World) -> Mask:
    """A mask, in the parts of `split`."""
    size = data.shape[0]
    return Mask.of(_rows(data, split, together).astype(bool), split, size, together)


def _rows(data: Any, split: Split, together: World, rest: Layout | None = None) -> Array:
    """What a rank has of an array whose first axis is split so, and the others as `rest` says."""
    want = (split, *(whole(len(data.shape) - 1) if rest is None else rest))
    if isinstance(data, Part):
        return _moved(data.array, data.shape, data.layout, want, together)
    return np.asarray(data[tuple(slice(*part) for part in place(want, data.shape, together.communicator.place))])


def selected(x: Value, mask: Value) -> Value | None:
    """The rows of an array for which a mask over its first axes holds; None where ranks have all of both.

    Parameters
    ----------
    x : Value
    mask : Value
        Booleans; its shape is that of the first axes of `x`.
    """
    together = _applies(x, mask)
    if together is None:
        return None
    rest = x.type.shape[mask.type.ndim :]
    flat, table = _evaluated(
        together, views.reshape(mask, (mask.type.size,)), views.reshape(x, (mask.type.size, *rest))
    )  # fmt: skip
    split = _split_rows(flat) or _split_rows(table)
    if split is None:
        return None
    found = _mask(flat, split, together)
    # (Other axes stay as they are.)
    kept = table.layout[1:] if isinstance(table, Part) else whole(len(rest))
    kept = tuple(None if s is None or s.dim == split.dim else s for s in kept)
    return found.spread(_rows(table, split, together, kept).take(found.chosen, axis=0), rest, kept)


def positions(mask: Value) -> Value | None:
    """What `numpy.argwhere` gives, one row for each element of a mask that holds; None where ranks have all of it."""
    together = _applies(mask)
    if together is None:
        return None
    (flat,) = _evaluated(together, views.reshape(mask, (mask.type.size,)))
    split = _split_rows(flat)
    if split is None:
        return None
    found = _mask(flat, split, together)
    indices = np.unravel_index(found.chosen + found.first, mask.type.shape)
    return found.spread(np.stack(indices, axis=1).astype(_I64), (mask.type.ndim,), (None,))


def counted(x: Value, mask: Value) -> Mask | None:
    """A mask over the first axes of an array, counted, for a write; None where ranks have all of it."""
    together = _applies(x, mask)
    if together is None:
        return None
    (flat,) = _evaluated(together, views.reshape(mask, (mask.type.size,)))
    split = _split_rows(flat)
    return None if split is None else _mask(flat, split, together)
