"""Reductions in an order that the indices alone decide: a tree over all of an axis, whoever has which part of it.

Leaves are `leaf` indices, from multiples of it on; a node of the tree combines its left half, all leaves of it, with
its right half. (Pairwise summation: Higham, The accuracy of floating point summation, 1993.) What a part of the axis
has is a list of the highest nodes that lie in it whole: the parts' lists together give the root, in one order always.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from lazyarr.ir.layout import Range

Array = np.ndarray[Any, Any]
#: A node: its level, leaves being 0, and its number in that level.
TreeNode = tuple[int, int]

#: Bytes that go through the first levels at a time: they stay in the cache.
_CACHED = 1 << 18


@lru_cache(maxsize=4096)
def highest(first: int, stop: int, count: int) -> tuple[TreeNode, ...]:
    """The highest nodes that lie in leaves ``first .. stop - 1`` of `count`, in ascending order."""
    found: list[TreeNode] = []
    level = 0
    while first < stop:
        if count == 1:
            found.append((level, 0))
            break
        if first % 2:
            found.append((level, first))
            first += 1
        # (The last one of a level that has nothing beside it is its own parent.)
        if first < stop and stop % 2 and stop != count:
            found.append((level, stop - 1))
            stop -= 1
        first, stop, count, level = first // 2, (stop + 1) // 2, (count + 1) // 2, level + 1
    return tuple(sorted(found))


def leaves(extent: int, leaf: int) -> int:
    """How many leaves an axis has."""
    return -(-extent // leaf)


def in_leaves(part: Range, leaf: int) -> Range:
    """The leaves of a part that begins and ends where leaves do, or with the axis."""
    return leaves(part[0], leaf), leaves(part[1], leaf)


def node(
    which: TreeNode, count: int, combine: np.ufunc, make: Callable[[int, int], Array], base: int = 0
) -> Array:
    """A node of a tree of `count` leaves; ``make(level, number)`` gives those of the levels up to `base`."""
    level, number = which
    if level <= base:
        return make(level, number)
    left = node((level - 1, 2 * number), count, combine, make, base)
    if 2 * number + 1 >= -(-count >> level - 1):
        return left  # nothing stands beside it
    return np.asarray(combine(left, node((level - 1, 2 * number + 1), count, combine, make, base)))


def nodes_of_rows(rows: Array, first: int, count: int, combine: np.ufunc) -> list[Array]:
    """What `highest` lists, of leaves from number `first` on that stand along the first axis."""
    width = rows.nbytes // max(len(rows), 1)
    base = max(1, (_CACHED // max(width, 1)).bit_length() - 1)

    def make(level: int, number: int) -> Array:
        found = rows[(number << level) - first : min(number + 1 << level, count) - first]
        while len(found) > 1:
            alone = found[len(found) & ~1 :]
            found = combine(found[: len(found) & ~1 : 2], found[1::2])
            found = np.concatenate([found, alone]) if len(alone) else found
        return np.asarray(found[0])

    return [node(which, count, combine, make, base) for which in highest(first, first + len(rows), count)]


def root(nodes: Sequence[TreeNode], values: Sequence[Array], count: int, combine: np.ufunc) -> Array:
    """The root of nodes that together have every leaf."""
    at: dict[int, dict[int, Array]] = {}
    for (level, number), value in zip(nodes, values, strict=True):
        at.setdefault(level, {})[number] = value
    level = 0
    while count > 1:
        here, above = at.get(level, {}), at.setdefault(level + 1, {})
        for number in sorted(here):
            if number % 2:
                above[number // 2] = combine(here[number - 1], here[number])
            elif number == count - 1:
                above[number // 2] = here[number]
        count, level = (count + 1) // 2, level + 1
    return at[level][0]
