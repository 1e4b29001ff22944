"""Layouts: which indices of a value's axes each rank of a grid has.

A grid is a shape of ranks, ``(4,)`` or ``(2, 2)``. An axis of a value is split along one dimension of the grid, or
every rank has all of it. What a rank has of an axis is a range, which depends on its position along that dimension.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from lazyarr.ir.access import Along

#: First index, and the one after the last.
Range = tuple[int, int]
#: What each position along a dimension of the grid has, or wants, of an axis.
Ranges = tuple[Range, ...]
Grid = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """An axis that is split along a dimension of the grid.

    Attributes
    ----------
    dim : int
    ranges : tuple of (start, stop)
        For each position along `dim`. They do not overlap; together they are the axis.
    """

    dim: int
    ranges: Ranges

    def __str__(self) -> str:
        return f"{self.dim}:{','.join(f'{a}-{b}' for a, b in self.ranges)}"


#: One entry for each axis; None: not split.
Layout = tuple[Split | None, ...]
#: What positions want of a value, or have of it: as a layout, but ranges may overlap.
Need = Layout

EMPTY: Range = (0, 0)


def whole(rank: int) -> Layout:
    """The layout of a value of `rank` axes that every rank has."""
    return (None,) * rank


def is_whole(layout: Layout) -> bool:
    """Whether no axis is split."""
    return all(split is None for split in layout)


def place(layout: Need, shape: Sequence[int], at: Sequence[int]) -> tuple[Range, ...]:
    """What the rank at a place of the grid has of each axis."""
    return tuple([(0, n) if s is None else s.ranges[at[s.dim]] for s, n in zip(layout, shape, strict=True)])


def coordinates(rank: int, grid: Grid) -> tuple[int, ...]:
    """The place of a rank in a grid: the last dimension's neighbours follow one another."""
    found = []
    for n in reversed(grid):
        rank, k = divmod(rank, n)
        found.append(k)
    return tuple(reversed(found))


#: A rank, and the indices along each axis that go to it or come from it.
Move = tuple[int, tuple[Range, ...]]


def moves(
    shape: Sequence[int], have: Layout, grid: Grid, want: Layout, onto: Grid, rank: int
) -> tuple[list[Move], list[Move]]:
    """What a rank gives to each rank, and gets from each, itself included, when an array goes to another grid.

    Parameters
    ----------
    shape : sequence of int
    have, want : Layout
        On `grid`, and on `onto`.
    grid, onto : tuple of int
        Of the same ranks.
    rank : int
    """
    count = math.prod(grid)
    # (Of ranks that have the same, each gives to those that stand where it does otherwise; a rank keeps what it has.)
    used = {split.dim for split in have if split is not None}
    mine = coordinates(rank, grid)
    same = [k for k in range(len(grid)) if k not in used]
    own = place(have, shape, mine), place(want, shape, coordinates(rank, onto))
    gives: list[Move] = []
    gets: list[Move] = []
    for other in range(count):
        theirs = coordinates(other, grid)
        if any(mine[k] != theirs[k] for k in same):
            continue
        pairs = (
            (gives, own[0], place(want, shape, coordinates(other, onto))),
            (gets, own[1], place(have, shape, theirs)),
        )
        for found, a, b in pairs:
            box = tuple(intersection(x, y) for x, y in zip(a, b, strict=True))
            if all(map(length, box)):
                found.append((other, box))
    return gives, gets


def sent(at: int, have: Ranges, want: Ranges) -> tuple[tuple[int, Range], ...]:
    """Who wants which indices of what the position `at` has; with `have` and `want` exchanged, who gives it which."""
    found = ((k, intersection(have[at], other)) for k, other in enumerate(want) if k != at)
    return tuple((k, part) for k, part in found if length(part))


def even(extent: int, parts: int) -> Ranges:
    """An axis in parts that differ by at most one index, the longer ones first (as `numpy.array_split` cuts)."""
    short, more = divmod(extent, parts)
    starts = [k * short + min(k, more) for k in range(parts + 1)]
    return tuple(zip(starts, starts[1:], strict=False))


def default(shape: Sequence[int], grid: Grid) -> Layout:
    """The first axes that are long enough, one for each dimension of the grid, in even parts."""
    found: list[Split | None] = [None] * len(shape)
    axes = iter(range(len(shape)))
    for dim, parts in enumerate(grid):
        if parts == 1:
            continue
        for axis in axes:
            if shape[axis] >= parts:
                found[axis] = Split(dim, even(shape[axis], parts))
                break
    return tuple(found)


def length(part: Range) -> int:
    """Number of indices."""
    return part[1] - part[0]


def contains(outer: Range, inner: Range) -> bool:
    """Whether all indices of `inner`, if it has any, are in `outer`."""
    return inner[0] >= inner[1] or (outer[0] <= inner[0] and inner[1] <= outer[1])


def hull(a: Range, b: Range) -> Range:
    """The shortest range with the indices of both."""
    if a[0] >= a[1]:
        return b
    if b[0] >= b[1]:
        return a
    return min(a[0], b[0]), max(a[1], b[1])


def intersection(a: Range, b: Range) -> Range:
    """The common indices."""
    start, stop = max(a[0], b[0]), min(a[1], b[1])
    return (start, stop) if start < stop else EMPTY


def read(entry: Along, results: Range, extent: int) -> Range:
    """What a range of result indices reads of an operand's axis of that extent."""
    start, stop = results
    if start >= stop:
        return EMPTY
    ends = (entry.step * start, entry.step * (stop - 1))
    return intersection((min(ends) + entry.lo, max(ends) + entry.hi + 1), (0, extent))


class _Remembered:
    """A function of ranges, its results by the identity of these: where there are many ranks they are long."""

    def __init__(self, function: Callable[..., Any]):
        self._function = function
        #: The arguments are kept with the result: nothing else gets their identities meanwhile.
        self._known: dict[tuple[Any, ...], tuple[tuple[Any, ...], Any]] = {}
        self._positions = 0

    def __call__(self, *arguments: Any) -> Any:
        key = tuple([id(a) if isinstance(a, tuple) else a for a in arguments])
        found = self._known.get(key)
        if found is None:
            self._positions += max(len(a) for a in arguments if isinstance(a, tuple))
            if self._positions > _MOST_POSITIONS:
                self._known.clear()
                self._positions = 0
            found = self._known[key] = arguments, self._function(*arguments)
        return found[1]


#: How many ranges are remembered.
_MOST_POSITIONS = 1 << 22


def hulls(a: Ranges, b: Ranges) -> Ranges:
    """The hull of what each position has in both."""
    return a if a is b else cast(Ranges, _hulls(a, b))


def reads(entry: Along, results: Ranges, extent: int) -> Ranges:
    """What each position's range of result indices reads of an operand's axis of that extent."""
    return cast(Ranges, _reads(entry, results, extent))


def all_within(inner: Ranges, outer: Ranges) -> bool:
    """Whether each position's indices in `inner` are in its range in `outer`."""
    return inner is outer or bool(_all_within(inner, outer))


@_Remembered
def _hulls(a: Ranges, b: Ranges) -> Ranges:
    found = tuple([hull(x, y) for x, y in zip(a, b, strict=True)])
    return a if found == a else b if found == b else found


@_Remembered
def _reads(entry: Along, results: Ranges, extent: int) -> Ranges:
    found = tuple([read(entry, part, extent) for part in results])
    return results if found == results else found


@_Remembered
def _all_within(inner: Ranges, outer: Ranges) -> bool:
    return all(contains(a, b) for a, b in zip(outer, inner, strict=True))


def solved(step: int, offset: int, part: Range) -> Range:
    """The integers ``j`` for which ``step * j + offset`` is in a range."""
    start, stop = part
    if step > 0:
        return -(-(start - offset) // step), -(-(stop - offset) // step)
    return (offset - stop) // -step + 1, (offset - start) // -step + 1


def owned(entry: Along, ranges: Ranges, extent: int) -> Ranges | None:
    """What each position owns of a result's axis if it owns `ranges` of an operand's: what begins where it has indices.

    None if that would not be all of the axis.
    """
    found = []
    for part in ranges:
        first, last = solved(entry.step, entry.lo, part)
        found.append((min(max(first, 0), extent), min(max(last, 0), extent)))
    if entry.step > 0:
        # What lies beyond the operand (the border of `pad`, what stands beside it in `concatenate`) is its neighbours'.
        if ranges[0][0] > ranges[-1][0]:  # of an axis that has been turned round
            found[0], found[-1] = (found[0][0], extent), (0, found[-1][1])
        else:
            found[0], found[-1] = (0, found[0][1]), (found[-1][0], extent)
    return tuple(found) if covers(found, extent) else None


def covers(ranges: Iterable[Range], extent: int) -> bool:
    """Whether ranges are all of an axis, without overlapping."""
    at = 0
    for start, stop in sorted(r for r in ranges if r[0] < r[1]):
        if start != at:
            return False
        at = stop
    return at == extent
