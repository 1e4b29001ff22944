"""How arrays are split over the ranks, where the user says so instead of the compiler."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

import lazyarr.numpy  # noqa: F401  what can be done with the result
from lazyarr import world
from lazyarr.array import LazyArray, rebuild
from lazyarr.convert import as_lazy
from lazyarr.dispatch import NotCompiled
from lazyarr.ir.layout import Layout, Split, even
from lazyarr.runtime import flush, recording


class grid:
    """The grid of the ranks on which arrays are split that are computed in a ``with`` block.

    Arrays that have been split on another grid go over to it when something is computed of them, and back when that is
    done outside: each time with a message from every rank that has a part to every one that gets some of it. What has
    been recorded before the block is computed when it begins, and what in it when it ends. The grid is the process's,
    not a thread's; all ranks enter the block. Where no other ranks run the program, any grid is taken and nothing
    happens.

    Parameters
    ----------
    *extents : int
        Ranks along each dimension in which arrays are split: ``with lazyarr.grid(2, 2):``.

    Raises
    ------
    TypeError, ValueError
        If an extent is no positive integer, or if the grid does not have as many places as there are ranks.
    """

    def __init__(self, *extents: int):
        self._extents = tuple(operator.index(n) for n in extents)
        self._before: list[world.World] = []
        world.check_grid(self._extents, None if (together := world.current()) is None else together.size)

    def __enter__(self) -> grid:
        together = world.current()
        if together is not None:
            _compute_pending()
            together.agree(f"enters lazyarr.grid{self._extents}")
            self._before.append(together)
            world.use(together.on(self._extents))
        return self

    def __exit__(self, kind: Any, *error: Any) -> None:
        if not self._before:
            return
        try:
            if kind is None:
                _compute_pending()
        finally:
            world.use(self._before.pop())


def _compute_pending() -> None:
    """Compute what is recorded: it is split on the grid that there is now."""
    now = recording()
    if now.observer is not None:
        now.observer.observed("lazyarr.grid says how arrays are split from here on")
    if now.pending():
        flush(now)


def partition(x: Any, grid: tuple[int, ...]) -> LazyArray:
    """A copy of an array that is split over the ranks in a way of your own.

    What is computed of it is split as it is. All ranks call this; on one rank it gives a copy.

    Parameters
    ----------
    x : array_like
    grid : tuple of int
        For each axis of `x`, in how many even parts it is split; 1 for an axis of which every rank has all. The others
        are, in order, the extents of the grid of the ranks (``lazyarr run --grid``) that are not 1: ``(1, 4)`` splits
        the columns of a matrix over four ranks. All 1: every rank has all of the array.

    Returns
    -------
    LazyArray

    Raises
    ------
    ValueError
        If `grid` does not have an entry for each axis, or does not go with the ranks' grid, or if an axis has fewer
        indices than parts, or if `x` holds no numbers.
    """
    try:
        array = as_lazy(x)
    except NotCompiled as reason:
        raise ValueError(f"partition takes arrays of numbers, got {reason}") from None
    together = world.current()
    ranks = (1,) if together is None else together.grid
    layout = _layout(array.shape, tuple(int(n) for n in grid), ranks)
    whole = array._elements("a new partition")
    if together is None or layout is None:
        return rebuild(np.array(whole))
    found = world.Part.of(whole, layout, together)
    found.taken.update(dict.fromkeys(range(whole.ndim)))  # (The user has said how it is split.)
    return rebuild(found)


def _layout(shape: tuple[int, ...], grid: tuple[int, ...], ranks: tuple[int, ...]) -> Layout | None:
    """The layout that a grid describes; None where nothing is split."""
    if len(grid) != len(shape):
        raise ValueError(f"the grid {grid} has {len(grid)} entries; the array has {len(shape)} axes")
    split = [n for n in grid if n != 1]
    dims = [k for k, n in enumerate(ranks) if n != 1]
    if not split or not dims:
        return None  # One rank alone has everything, however it would be split.
    if split != [ranks[k] for k in dims]:
        raise ValueError(f"the grid {grid} does not go with the grid of the ranks, {ranks}")
    following = iter(dims)
    found: list[Split | None] = []
    for extent, parts in zip(shape, grid, strict=True):
        if parts > extent:
            raise ValueError(f"the grid {grid} has more parts than the axes of {shape} have indices")
        found.append(None if parts == 1 else Split(next(following), even(extent, parts)))
    return tuple(found)
