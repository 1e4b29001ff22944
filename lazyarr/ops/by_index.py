"""Reads and writes at indices into an axis that is split: each rank does those of its own part.

Indices are those of the whole array: whoever records such an operation checks that they are in range. Writes are
applied in NumPy's order, which is that of the ranks the indices come from where these are split.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from lazyarr.ir.access import opaque_operands
from lazyarr.ir.layout import Range, Ranges
from lazyarr.ir.op import OPS, Cost, Op, Sample, Types
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ops.comm import TOKEN, all_to_all_along

Array = np.ndarray[Any, Any]


def _flat(indices: Sequence[Array], extents: Sequence[int]) -> list[Array]:
    """Indices as vectors of one length, none negative.

    One that is out of range, whose check fails, is the nearest one, as `gather` has it: all ranks come to the end of
    what they exchange.
    """
    found = np.broadcast_arrays(*indices)
    return [
        np.clip(np.where(i < 0, i + n, i), 0, max(n - 1, 0)).reshape(-1)
        for i, n in zip(found, extents, strict=True)
    ]  # fmt: skip


def _lead(indices: Sequence[Array]) -> tuple[int, ...]:
    return np.broadcast_shapes(*(i.shape for i in indices))


# --- writes into a part, of indices that every rank has ----------------------------------------------------


def _infer_within(
    x: ArrayType, value: ArrayType, *indices: ArrayType, axes: tuple[int, ...], kind: str, places: tuple[Range, ...],
    extents: tuple[int, ...],
) -> ArrayType:  # fmt: skip
    if any(x.shape[a] != stop - start for a, (start, stop) in zip(axes, places, strict=True)):
        raise ValueError(f"scatter_within of {x}: its axes {axes} are not {places}")
    whole = x.with_shape(tuple(extents[axes.index(a)] if a in axes else n for a, n in enumerate(x.shape)))
    OPS["scatter"].infer(whole, value, *indices, axes=axes, kind=kind)
    return x


def _within(
    xp: Any, x: Array, value: Array, *indices: Array, axes: tuple[int, ...], kind: str, places: tuple[Range, ...],
    extents: tuple[int, ...],
) -> Array:  # fmt: skip
    flat = _flat(indices, extents)
    inside = np.ones(flat[0].shape, bool)
    for index, (start, stop) in zip(flat, places, strict=True):
        inside &= (index >= start) & (index < stop)
    chosen = [index[inside] - start for index, (start, _) in zip(flat, places, strict=True)]
    rows = value.reshape(len(inside), *value.shape[len(_lead(indices)) :])[inside]
    return np.asarray(OPS["scatter"].evaluate(np, x, rows, *chosen, axes=axes, kind=kind))


def _access_within(x: ArrayType, value: ArrayType, *indices: ArrayType, axes: Any, kind: str, **attrs: Any) -> Any:
    return OPS["scatter"].access(x, value, *indices, axes=axes, kind=kind)


def _drawn(
    name: str, extent: int, count: int, *shapes: tuple[int, ...], token: bool = False
) -> Callable[[Any], tuple[Any, ...]]:
    """Arrays of a dtype, `count` indices into an axis of `extent`, and a token."""

    def make(rng: Any) -> tuple[Any, ...]:
        arrays = [rng.integers(0, 5, shape).astype(DTYPES[name]) for shape in shapes]
        return (*arrays, rng.integers(-extent, extent, count), *([np.int64(0)] if token else []))

    return make


def _samples_within() -> Iterator[Sample]:
    for name in ("f64", "i32"):
        for kind in ("set", "add"):
            yield Sample(
                (f"{name}[4,3]", f"{name}[9,3]", "i64[9]"),
                {"axes": (0,), "kind": kind, "places": ((5, 9),), "extents": (12,)},
                make=_drawn(name, 12, 9, (4, 3), (9, 3)),
            )


#: Writes into the part of an array that has indices `places` of the axes, of those that are for it.
SCATTER_WITHIN = Op(
    name="scatter_within",
    numpy="x[:, i, :, j] = value, of the part of x that is there",
    infer=_infer_within,
    evaluate=_within,
    jax=None,
    access=_access_within,
    pointwise=False,
    memory="fresh",
    cost=lambda x, value, *indices, **attrs: Cost(4 * value.size, x.nbytes + 2 * value.nbytes),
    backends=("native", "numpy"),
    samples=_samples_within,
    checked=True,
)

# --- indices of which each rank has some -------------------------------------------------------------------


def _owners(index: Array, have: Ranges) -> tuple[Array, list[Array]]:
    """The order that puts indices by their owners, and those of each."""
    # (What is beyond the last one is the last one's. A search, and a sort of integers, take ten times as long as
    # comparisons, and a sort of numbers of 16 bits.)
    starts = [stop for _, stop in have[:-1]]
    if len(have) <= _FEW_OWNERS:
        owners = np.zeros(len(index), np.uint8)
        for start in starts:
            owners += index >= start
        groups = [np.flatnonzero(owners == k) for k in range(len(have))]
        return np.concatenate(groups), groups
    places = np.searchsorted(starts, index, side="right")
    order = np.argsort(places.astype(np.uint16) if len(have) <= 1 << 16 else places, kind="stable")
    ends = np.cumsum(np.bincount(places, minlength=len(have)))[:-1]
    return order, np.split(order, ends)


#: Positions up to which each is looked for on its own.
_FEW_OWNERS = 8


def _extents(x: Array, axes: tuple[int, ...], by: int, have: Ranges) -> list[int]:
    return [have[-1][1] if k == by else x.shape[a] for k, a in enumerate(axes)]


def _moved(flat: Sequence[Array], groups: Sequence[Array], exchange: Any) -> list[Array]:
    """The indices that positions have for this one, in the order of the positions."""
    found = np.concatenate(exchange([np.stack([index[g] for index in flat], axis=1).reshape(-1) for g in groups]))
    return list(found.reshape(-1, len(flat)).T)


def _infer_scattered(
    x: ArrayType, value: ArrayType, *rest: ArrayType, axes: tuple[int, ...], kind: str, by: int, dim: int, at: int,
    have: Ranges,
) -> Types:  # fmt: skip
    *indices, token = rest
    start, stop = have[at]
    if token != TOKEN or x.shape[axes[by]] != stop - start:
        raise TypeError(f"scattered_part takes an array, values, indices and a token, got {x}, {value}, {rest}")
    OPS["scatter"].infer(x, value, *indices, axes=axes, kind=kind)
    return x, TOKEN


def _scattered(
    xp: Any, x: Array, value: Array, *rest: Any, axes: tuple[int, ...], kind: str, by: int, dim: int, at: int,
    have: Ranges,
) -> Any:  # fmt: skip
    *indices, token = rest
    exchange = all_to_all_along(dim, len(have))
    flat = _flat(indices, _extents(x, axes, by, have))
    rows = value.reshape(len(flat[0]), *value.shape[len(_lead(indices)) :])
    _, groups = _owners(flat[by], have)
    mine = _moved(flat, groups, exchange)
    parts = exchange([np.ascontiguousarray(rows[g]).reshape(-1) for g in groups])
    given = np.concatenate(parts).reshape(len(mine[0]), *rows.shape[1:])
    mine[by] = mine[by] - have[at][0]
    return OPS["scatter"].evaluate(np, x, given, *mine, axes=axes, kind=kind), np.asarray(token) + 1


def _samples_scattered() -> Iterator[Sample]:
    for name in ("f64", "i8"):
        attrs = {"axes": (0,), "kind": "add", "by": 0, "dim": 0, "at": 0, "have": ((0, 5),)}
        yield Sample(
            (f"{name}[5,3]", f"{name}[7,3]", "i64[7]", "i64[]"), attrs,
            make=_drawn(name, 5, 7, (5, 3), (7, 3), token=True),
        )


#: Writes at indices of which each position has some: they go to who has what they are for.
SCATTERED_PART = Op(
    name="scattered_part",
    numpy="x[:, i, :, j] = value of the whole array",
    infer=_infer_scattered,
    evaluate=_scattered,
    jax=None,
    access=opaque_operands,
    pointwise=False,
    memory="fresh",
    cost=lambda x, value, *rest, **attrs: Cost(8 * value.size, x.nbytes + 4 * value.nbytes),
    backends=("native", "numpy"),
    samples=_samples_scattered,
    checked=True,
    communicates=True,
)


def _infer_picked(
    x: ArrayType, *rest: ArrayType, axes: tuple[int, ...], by: int, dim: int, at: int, have: Ranges, own: bool
) -> Types:
    *indices, token = rest
    start, stop = have[at]
    if token != TOKEN or x.shape[axes[by]] != stop - start:
        raise TypeError(f"picked_part takes an array, indices and a token, got {x}, {rest}")
    found = OPS["gather"].infer(x, *indices, axes=axes)
    assert isinstance(found, ArrayType)
    return found, TOKEN


def _picked(
    xp: Any, x: Array, *rest: Any, axes: tuple[int, ...], by: int, dim: int, at: int, have: Ranges, own: bool
) -> Any:
    *indices, token = rest
    exchange = all_to_all_along(dim, len(have))
    flat = _flat(indices, _extents(x, axes, by, have))
    order, groups = _owners(flat[by], have)
    wanted = _moved(flat, groups, exchange) if own else [index[groups[at]] for index in flat]
    wanted[by] = wanted[by] - have[at][0]
    rows = np.moveaxis(x, axes, range(len(axes)))[tuple(wanted)]
    kept = rows.shape[1:]
    if own:
        # (As many for each position as it has asked for.)
        sizes = np.concatenate(exchange([np.array([len(g)]) for g in groups]))
        parts = np.split(rows, np.cumsum(sizes)[:-1])
    else:
        parts = [rows] * len(have)
    given = np.concatenate(exchange([np.ascontiguousarray(part).reshape(-1) for part in parts]))
    found = np.empty((len(order), *kept), x.dtype)
    found[order] = given.reshape(found.shape)
    return found.reshape((*_lead(indices), *kept)), np.asarray(token) + 1


def _samples_picked() -> Iterator[Sample]:
    for name in ("f64", "i8"):
        for own in (False, True):
            attrs = {"axes": (0,), "by": 0, "dim": 0, "at": 0, "have": ((0, 5),), "own": own}
            yield Sample(
                (f"{name}[5,3]", "i64[7]", "i64[]"), attrs,
                make=_drawn(name, 5, 7, (5, 3), token=True),
            )


#: What stands at indices, which every position has, or `own` ones that only it has: it comes from who has it.
PICKED_PART = Op(
    name="picked_part",
    numpy="x[:, i, :, j] of the whole array",
    infer=_infer_picked,
    evaluate=_picked,
    jax=None,
    access=opaque_operands,
    pointwise=False,
    memory="fresh",
    cost=lambda x, *rest, **attrs: Cost(8 * rest[0].size, 4 * rest[0].nbytes),
    backends=("native", "numpy"),
    samples=_samples_picked,
    checked=True,
    communicates=True,
)
