"""Layouts of an array that takes another shape: elements keep their order in C, and go from owners to owners.

What a rank has of an array is a number of runs of elements that follow one another in C order, all of one length.
Between two shapes of the same elements these are cut into pieces, each of which has one owner in either.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lazyarr.ir.layout import Grid, Layout, Ranges, Split, even, length, place

_Indices = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Pieces:
    """Elements of one rank's part that go to another rank, or come from it, in C order.

    Attributes
    ----------
    rank : int
        The other one, or the same.
    offsets, lengths : ndarray of int64
        Where each piece begins among the elements of the part, and how long it is.
    """

    rank: int
    offsets: _Indices
    lengths: _Indices

    @property
    def count(self) -> int:
        """Number of elements."""
        return int(self.lengths.sum())


def gives(
    before: Sequence[int], have: Layout, after: Sequence[int], want: Layout, grid: Grid, at: Sequence[int]
) -> list[Pieces]:
    """What the rank at a place of the grid gives to each rank, itself included.

    Parameters
    ----------
    before, after : sequence of int
        Two shapes of the same elements.
    have, want : Layout
        How they are split in the one and in the other.
    grid : tuple of int
    at : sequence of int
    """
    begins, offsets, lengths = _pieces(before, have, after, want, at)
    owners, used = _owners(after, want, begins), _dims(have)
    # (Where the operand is not split, each rank gives to those that stand where it does.)
    own = np.ones(len(begins), bool)
    for dim, owner in owners.items():
        if dim not in used:
            own &= owner == at[dim]
    begins, offsets, lengths = begins[own], offsets[own], lengths[own]
    owners = {dim: owner[own] for dim, owner in owners.items()}
    # (Along dimensions in which the result is not split, all get it.)
    copies = itertools.product(*(range(grid[dim]) for dim in sorted(used - set(owners))))
    found: list[Pieces] = []
    for others in copies:
        there: list[Any] = list(at)
        for dim, position in zip(sorted(used - set(owners)), others, strict=True):
            there[dim] = position
        for dim, owner in owners.items():
            there[dim] = owner
        found += _by_rank(there, grid, offsets, lengths)
    return sorted(found, key=lambda pieces: pieces.rank)


def gets(
    before: Sequence[int], have: Layout, after: Sequence[int], want: Layout, grid: Grid, at: Sequence[int]
) -> list[Pieces]:
    """What the rank at a place of the grid gets from each rank, itself included: see `gives`."""
    begins, offsets, lengths = _pieces(after, want, before, have, at)
    there: list[Any] = list(at)
    for dim, owner in _owners(before, have, begins).items():
        there[dim] = owner
    return sorted(_by_rank(there, grid, offsets, lengths), key=lambda pieces: pieces.rank)


def _by_rank(there: Sequence[Any], grid: Grid, offsets: _Indices, lengths: _Indices) -> Iterator[Pieces]:
    if not len(offsets):
        return
    ranks = np.zeros(len(offsets), np.int64)
    for n, position in zip(grid, there, strict=True):
        ranks = ranks * n + position
    order = np.argsort(ranks, kind="stable")
    numbers, first = np.unique(ranks[order], return_index=True)
    for rank, chosen in zip(numbers.tolist(), np.split(order, first[1:]), strict=True):
        yield Pieces(rank, offsets[chosen], lengths[chosen])


def _dims(layout: Layout) -> set[int]:
    return {split.dim for split in layout if split is not None}


def _runs(shape: Sequence[int], layout: Layout, at: Sequence[int]) -> tuple[_Indices, int]:
    """The first elements of the runs that a rank has, and their length."""
    mine = place(layout, shape, at)
    last = max((axis for axis, split in enumerate(layout) if split is not None), default=-1)
    if last < 0:
        return np.zeros(1, np.int64), math.prod(shape)
    inner = math.prod(shape[last + 1 :])
    begins = np.zeros(1, np.int64)
    for n, (start, stop) in zip(shape[:last], mine[:last], strict=True):
        begins = (begins[:, None] * n + np.arange(start, stop)).reshape(-1)
    begins = (begins * shape[last] + mine[last][0]) * inner
    size = length(mine[last]) * inner
    return (begins, size) if size else (begins[:0], 0)


def _pieces(
    shape: Sequence[int], layout: Layout, other: Sequence[int], there: Layout, at: Sequence[int]
) -> tuple[_Indices, _Indices, _Indices]:
    """A rank's runs, cut where the owner changes in the other shape: first elements, offsets in the part, lengths."""
    begins, size = _runs(shape, layout, at)
    last = max((axis for axis, split in enumerate(there) if split is not None), default=-1)
    offsets = np.arange(len(begins), dtype=np.int64) * size
    if last < 0 or not len(begins):
        return begins, offsets, np.full(len(begins), size, np.int64)
    split = there[last]
    assert split is not None
    inner = math.prod(other[last + 1 :])
    period = other[last] * inner
    cuts = np.array(sorted({start for start, stop in split.ranges if start < stop}), np.int64) * inner
    # (Cuts are numbered through; so many of them are at an element or before it.)
    before, until = (
        x // period * len(cuts) + np.searchsorted(cuts, x % period, side="right") for x in (begins, begins + size - 1)
    )
    counts = until - before + 1
    run = np.repeat(np.arange(len(begins)), counts)
    number = np.arange(len(run)) - np.repeat(np.cumsum(counts) - counts, counts)
    cut = before[run] + number - 1
    found = np.where(number == 0, begins[run], cut // len(cuts) * period + cuts[cut % len(cuts)])
    ends = np.append(found[1:], 0)
    ends[np.cumsum(counts) - 1] = begins + size
    return found, offsets[run] + found - begins[run], ends - found


def _owners(shape: Sequence[int], layout: Layout, elements: _Indices) -> dict[int, _Indices]:
    """For each dimension along which a value is split the positions of those who have elements."""
    found = {}
    for axis, split in enumerate(layout):
        if split is not None:
            index = elements // math.prod(shape[axis + 1 :]) % shape[axis]
            known = sorted((start, position) for position, (start, stop) in enumerate(split.ranges) if start < stop)
            starts, positions = (np.array(column, np.int64) for column in zip(*known, strict=True))
            found[split.dim] = positions[np.searchsorted(starts, index, side="right") - 1]
    return found


def groups(before: Sequence[int], after: Sequence[int]) -> Iterator[tuple[range, range]]:
    """Axes of two shapes of the same elements, at least one, that take each other's place: few at a time."""
    i = j = 0
    while i < len(before) or j < len(after):
        first, second = i, j
        have, want = math.prod(before[i : i + 1]), math.prod(after[j : j + 1])
        i, j = min(i + 1, len(before)), min(j + 1, len(after))
        while have != want:
            if have < want:
                have *= before[i]
                i += 1
            else:
                want *= after[j]
                j += 1
        yield range(first, i), range(second, j)


def reshaped(before: Sequence[int], have: Layout, after: Sequence[int], large: bool) -> Layout:
    """How an array is split after it has taken another shape: where little has to move, if it can be.

    Parameters
    ----------
    before, after : sequence of int
        Shapes of the same elements, at least one.
    have : Layout
        In the first shape.
    large : bool
        Whether it is worth being split where some ranks have nothing of it, or would have.
    """
    found: list[Split | None] = [None] * len(after)
    for axes, others in groups(before, after):
        free = list(others)
        for axis in axes:
            split = have[axis]
            if split is None:
                continue
            parts = len(split.ranges)
            uneven = any(a >= b for a, b in split.ranges)
            fitting = [k for k in free if after[k] >= parts]
            if large and not fitting:
                fitting = sorted(free, key=lambda k: -after[k])[:1]
            if not fitting or (uneven and not large):
                continue
            at = fitting[0]
            free = [k for k in free if k > at]
            ranges = None
            if not uneven and math.prod(before[axes[0] : axis]) == math.prod(after[others[0] : at]) == 1:
                row, other = math.prod(before[axis + 1 : axes[-1] + 1]), math.prod(after[at + 1 : others[-1] + 1])
                ranges = _nearest(split.ranges, row, other, after[at])
            found[at] = Split(split.dim, even(after[at], parts) if ranges is None else ranges)
    return tuple(found)


def _nearest(ranges: Ranges, row: int, other: int, extent: int) -> Ranges | None:
    """Ranges of rows of `other` elements nearest to ranges of rows of `row` elements.

    The same elements, or an even part if that has at most a row more or less; None where ranges go backward, or one
    would have nothing.
    """
    if any(a[1] != b[0] for a, b in itertools.pairwise(ranges)):
        return None
    cuts = [start * row for start, _ in ranges[1:]]
    near = even(extent, len(ranges))
    if all(cut % other == 0 for cut in cuts):
        starts = [cut // other for cut in cuts]
    elif all(abs(start * other - cut) <= other for (start, _), cut in zip(near[1:], cuts, strict=True)):
        return near
    else:
        starts = [(cut + other // 2) // other for cut in cuts]
    found = tuple(itertools.pairwise((0, *starts, extent)))
    return found if all(a < b for a, b in found) else None


def stays(before: Sequence[int], have: Layout, after: Sequence[int], want: Layout) -> bool:
    """Whether every rank has the same elements in both shapes, in boxes of both."""
    for axes, others in groups(before, after):
        first = [(a, s) for a in axes if (s := have[a]) is not None]
        second = [(a, s) for a in others if (s := want[a]) is not None]
        if not first and not second:
            continue
        if len(first) != 1 or len(second) != 1:
            return False
        ((axis, mine),), ((other, its),) = first, second
        if mine.dim != its.dim or math.prod(before[axes[0] : axis]) != math.prod(after[others[0] : other]):
            return False
        row, col = math.prod(before[axis + 1 : axes[-1] + 1]), math.prod(after[other + 1 : others[-1] + 1])
        pairs = zip(mine.ranges, its.ranges, strict=True)
        if any((a * row, b * row) != (c * col, d * col) for (a, b), (c, d) in pairs):
            return False
    return True
