"""Arrays that are split over the ranks, between them and what rank 0 alone, or each of them, reads and writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from lazyarr.array import LazyArray, rebuild
from lazyarr.ir.layout import Layout, Range, coordinates, even, length, place
from lazyarr.portable import portable
from lazyarr.runtime import fetch
from lazyarr.world import Part, World

Box = tuple[Range, ...]
#: Bytes that go to rank 0, or come from it, at a time.
_PIECE = 1 << 25


def part_of(x: Any) -> Part | None:
    """What this rank has of an array that is split; None of anything else."""
    if not isinstance(x, LazyArray):
        return None
    held = fetch(x._value())
    return held if isinstance(held, Part) else None


def raise_alike(together: World, error: BaseException | None) -> None:
    """Raise on every rank what one has met with; the first one's, where they are several.

    (An error's traceback has the frames that it went through: who holds it in a variable there makes a cycle, which
    nobody looks for, and so deletes it.)
    """
    failed = [e for e in together.communicator.from_all(None if error is None else portable(error)) if e is not None]
    try:
        if failed:
            raise failed[0] if error is None else error
    finally:
        del failed, error


@contextmanager
def alike(together: World) -> Iterator[None]:
    """Within which each rank does something by itself: what one raises all raise, when all have done it."""
    error: BaseException | None = None
    try:
        yield
    except BaseException as raised:  # noqa: BLE001  raised below, on every rank
        error = raised
    try:
        raise_alike(together, error)
    finally:
        del error


def to_first(part: Part, put: Callable[[Box, Any], None]) -> None:
    """Hand a split array to a function on rank 0, piece by piece; what that raises all ranks raise."""
    together, error = part.world, None
    assert together is not None
    for rank, piece in _pieces(together, part.layout, part.shape, part.dtype, once=True):
        array = None
        if rank == together.rank:
            own = part.place
            array = part.array[tuple(slice(a - s.start, b - s.start) for (a, b), s in zip(piece, own, strict=True))]
        if rank and together.rank == 0:
            array = np.empty(tuple(map(length, piece)), part.dtype)
            together.communicator.swap([], [(rank, array)])
        elif rank == together.rank and rank:
            together.communicator.swap([(0, array)], [])
        if together.rank == 0 and error is None:
            try:
                put(piece, array)
            except BaseException as raised:  # noqa: BLE001  raised below, when nobody sends any more
                error = raised
    try:
        raise_alike(together, error)
    finally:
        del error


def from_first(
    together: World, layout: Layout, shape: tuple[int, ...], dtype: np.dtype[Any], get: Callable[[Box], Any]
) -> LazyArray:
    """A split array that a function on rank 0 gives, piece by piece."""
    own = place(layout, shape, together.communicator.place)
    mine, error = np.empty(tuple(map(length, own)), dtype), None
    for rank, piece in _pieces(together, layout, shape, dtype):
        at = tuple(slice(a - s, b - s) for (a, b), (s, _) in zip(piece, own, strict=True))
        array = np.empty(tuple(map(length, piece)), dtype) if together.rank in (0, rank) else None
        if together.rank == 0 and error is None:
            try:
                array = np.asarray(get(piece), dtype)
            except BaseException as raised:  # noqa: BLE001  raised below, when nobody waits any more
                error = raised
        if rank and together.rank == 0:
            together.communicator.swap([(rank, array)], [])
        elif rank and rank == together.rank:
            together.communicator.swap([], [(0, array)])
        if rank == together.rank:
            mine[at] = array
    try:
        raise_alike(together, error)
    finally:
        del error
    return rebuild(Part(mine, layout, shape, together))


def _pieces(
    together: World, layout: Layout, shape: tuple[int, ...], dtype: np.dtype[Any], once: bool = False
) -> Iterator[tuple[int, Box]]:
    """What the ranks have, one after the other, in pieces; `once`: of what several have, the first."""
    used = {split.dim for split in layout if split is not None}
    for rank in range(together.size):
        at = coordinates(rank, together.grid)
        if once and any(k for dim, k in enumerate(at) if dim not in used):
            continue
        box = place(layout, shape, at)
        if not all(map(length, box)):
            continue
        (first, last), *rest = box
        row = int(np.prod([length(r) for r in rest], dtype=np.int64)) * dtype.itemsize
        step = max(1, _PIECE // max(row, 1))
        for start in range(first, last, step):
            yield rank, ((start, min(start + step, last)), *rest)


def read_parts(
    together: World, layout: Layout, shape: tuple[int, ...], dtype: np.dtype[Any], get: Callable[[Box], Any]
) -> LazyArray:
    """A split array of which each rank reads its own part."""
    own = place(layout, shape, together.communicator.place)
    with alike(together):
        array = np.ascontiguousarray(get(own), dtype)
    return rebuild(Part(array, layout, shape, together))


def write_units(part: Part, starts: list[int], units: list[int], put: Callable[[Box, Any], None]) -> None:
    """Let each rank write those of the units of a file that lie within what it gets for it.

    Parameters
    ----------
    part : Part
    starts, units : list of int
        Of each axis, the index in the file at which the array begins, and how many indices there are in a unit, which
        one rank alone may touch.
    put : callable
        ``put(box, array)`` writes what stands at these indices of the array.
    """
    together = part.world
    assert together is not None
    communicator, array = together.communicator, part.array
    own = [(s.start, s.stop) for s in part.place]
    for axis, split in enumerate(part.layout):
        if split is None:
            continue
        begin, unit, extent = starts[axis], units[axis], part.shape[axis]
        first, last = begin // unit, -(-(begin + extent) // unit)
        cuts = even(last - first, len(split.ranges))
        want = tuple(
            (max((first + a) * unit - begin, 0), min((first + b) * unit - begin, extent)) if a < b else (0, 0)
            for a, b in cuts
        )
        at = communicator.place[split.dim]
        array = communicator.exchange(array, axis, split.dim, split.ranges[at][0], split.ranges, want)
        own[axis] = want[at]
    used = {split.dim for split in part.layout if split is not None}
    alone = all(k == 0 for dim, k in enumerate(communicator.place) if dim not in used)
    with alike(together):
        if alone and all(map(length, own)):
            put(tuple(own), array)
