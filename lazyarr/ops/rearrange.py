"""What a rank has of an array that takes another shape, where its elements are other ranks' (`lazyarr.ir.flat`)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from lazyarr.ir.access import opaque_operands
from lazyarr.ir.flat import Pieces, gets, gives
from lazyarr.ir.layout import Grid, Layout, Ranges, Split, coordinates, length, place
from lazyarr.ir.op import Cost, Op, Sample, Types
from lazyarr.ir.types import ArrayType
from lazyarr.ops.comm import TOKEN, swap

Array = np.ndarray[Any, Any]
#: A layout among a node's attributes: axis, dimension of the grid and ranges of each axis that is split.
Splits = tuple[tuple[int, int, Ranges], ...]

#: Pieces shorter than this are moved by an index of their elements: one after another, each costs some microseconds.
_SHORT = 256


def as_splits(layout: Layout) -> Splits:
    """A layout as an attribute."""
    return tuple((axis, split.dim, split.ranges) for axis, split in enumerate(layout) if split is not None)


def as_layout(splits: Splits, rank: int) -> Layout:
    """The layout of an array of `rank` axes that an attribute says."""
    known = {axis: Split(dim, ranges) for axis, dim, ranges in splits}
    return tuple(known.get(axis) for axis in range(rank))


def _infer(
    x: ArrayType, token: ArrayType, *, grid: Grid, at: tuple[int, ...], before: tuple[int, ...], have: Splits,
    shape: tuple[int, ...], want: Splits,
) -> Types:  # fmt: skip
    if token != TOKEN or math.prod(before) != math.prod(shape):
        raise TypeError(f"rearranged_part takes an array and a token, got {x}, {token}, shapes {before} and {shape}")
    held, wanted = place(as_layout(have, len(before)), before, at), place(as_layout(want, len(shape)), shape, at)
    if x.shape != tuple(map(length, held)):
        raise ValueError(f"rearranged_part of {x}: it is not {held} of {before}")
    return x.with_shape(tuple(map(length, wanted))), TOKEN


def _index(pieces: Pieces) -> Array:
    """The index of each element of pieces."""
    ends = np.cumsum(pieces.lengths)
    return np.repeat(pieces.offsets - (ends - pieces.lengths), pieces.lengths) + np.arange(ends[-1])


def _is_short(pieces: Pieces) -> bool:
    return pieces.count < _SHORT * len(pieces.lengths)


def _spans(pieces: Pieces) -> Iterator[slice]:
    for offset, count in zip(pieces.offsets.tolist(), pieces.lengths.tolist(), strict=True):
        yield slice(offset, offset + count)


def _box(flat: Array, pieces: Pieces) -> Array | None:
    """Pieces that are equally long, and equally far from each other, as the rows of a matrix; None for others."""
    count, size, offsets = len(pieces.lengths), int(pieces.lengths[0]), pieces.offsets
    apart = int(offsets[1] - offsets[0]) if count > 1 else 0
    if count < 2 or apart < size or (pieces.lengths != size).any() or (np.diff(offsets) != apart).any():
        return None
    first, item = int(offsets[0]), flat.itemsize
    return as_strided(flat[first : first + (count - 1) * apart + size], (count, size), (apart * item, item))


def _taken(flat: Array, pieces: Pieces) -> Array:
    """The elements of pieces, one after another."""
    rows = _box(flat, pieces)
    if rows is not None:
        return rows.reshape(-1)
    if len(pieces.lengths) > 1 and _is_short(pieces):
        return flat[_index(pieces)]
    parts = [flat[span] for span in _spans(pieces)]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _put(flat: Array, pieces: Pieces, elements: Array) -> None:
    rows = _box(flat, pieces)
    if rows is not None:
        rows[...] = elements.reshape(rows.shape)
        return
    if len(pieces.lengths) > 1 and _is_short(pieces):
        flat[_index(pieces)] = elements
        return
    first = 0
    for span in _spans(pieces):
        flat[span] = elements[first : first + span.stop - span.start]
        first += span.stop - span.start


def rearrange(
    x: Array, grid: Grid, at: tuple[int, ...], before: tuple[int, ...], have: Layout, shape: tuple[int, ...],
    want: Layout,
) -> Array:  # fmt: skip
    """What a rank has of an array in another shape and layout, all ranks at the same time.

    Parameters
    ----------
    x : ndarray
        What it has of the array in its shape `before` and layout `have`.
    grid : tuple of int
    at : tuple of int
        The rank's place.
    before, shape : tuple of int
    have, want : Layout
    """
    result = np.empty(tuple(map(length, place(want, shape, at))), x.dtype)
    if not math.prod(shape):
        return result
    flat = np.ascontiguousarray(x).reshape(-1)
    target = result.reshape(-1)
    sends, receives = gives(before, have, shape, want, grid, at), gets(before, have, shape, want, grid, at)
    if math.prod(grid) > 1:
        others = [pieces for pieces in receives if coordinates(pieces.rank, grid) != at]
        came = [
            target[next(_spans(pieces))] if len(pieces.lengths) == 1 else np.empty(pieces.count, x.dtype)
            for pieces in others
        ]  # fmt: skip
        given = [(p.rank, _taken(flat, p)) for p in sends if coordinates(p.rank, grid) != at]
        swap(given, [(pieces.rank, part) for pieces, part in zip(others, came, strict=True)])
        for pieces, part in zip(others, came, strict=True):
            if len(pieces.lengths) > 1:
                _put(target, pieces, part)
    mine = [[p for p in both if coordinates(p.rank, grid) == at] for both in (sends, receives)]
    for own, new in zip(*mine, strict=True):
        _put(target, new, _taken(flat, own))
    return result


def _rearranged(
    xp: Any, x: Any, token: Any, *, grid: Grid, at: tuple[int, ...], before: tuple[int, ...], have: Splits,
    shape: tuple[int, ...], want: Splits,
) -> Any:  # fmt: skip
    layouts = as_layout(have, len(before)), as_layout(want, len(shape))
    return rearrange(np.asarray(x), grid, at, before, layouts[0], shape, layouts[1]), np.asarray(token) + 1


def _samples() -> Iterator[Sample]:
    # One rank alone; programs on several are in tests/test_rearrange.py.
    for name in ("f64", "c64", "bool", "i8"):
        for before, shape in (((4, 6), (3, 8)), ((24,), (2, 3, 4))):
            have, want = ((0, 0, ((0, before[0]),)),), ((0, 0, ((0, shape[0]),)),)
            extents = ",".join(map(str, before))
            yield Sample((f"{name}[{extents}]", "i64[]"), {"grid": (1,), "at": (0,), "before": before, "have": have,
                                                           "shape": shape, "want": want})  # fmt: skip


#: What a rank has of an array after it has taken another shape: elements come from their owners, in C order.
REARRANGED_PART = Op(
    name="rearranged_part",
    numpy="numpy.reshape(x, shape) of the whole array",
    infer=_infer,
    evaluate=_rearranged,
    jax=None,
    access=opaque_operands,
    pointwise=False,
    memory="fresh",
    cost=lambda x, token, **attrs: Cost(0, 4 * x.nbytes),
    backends=("native", "numpy"),
    samples=_samples,
    communicates=True,
)
