"""Boxes: the indices a slice selects, one ``range`` an axis, and what can be decided of two of them."""

from __future__ import annotations

import math
from typing import Any

from lazyarr.ir import extents
from lazyarr.ir.extents import Shape
from lazyarr.ir.node import Node, Value, apply
from lazyarr.ir.op import lookup

Box = tuple[range, ...]


def normal(indices: range) -> range:
    """The one range we write for these indices: from the first to just past the last; step 1 where it is free."""
    if len(indices) == 0:
        return range(0)
    if len(indices) == 1:
        return range(indices[0], indices[0] + 1)
    return range(indices[0], indices[-1] + (1 if indices.step > 0 else -1), indices.step)


def of_node(node: Node) -> Box | None:
    """The box of a ``slice`` or ``update_slice``, in normal form; None if a bound is symbolic."""
    bounds = (*node.kw["start"], *node.kw["stop"], *node.operands[0].type.shape)
    if not extents.is_static(bounds):
        return None
    return tuple(
        normal(range(*entry)) for entry in zip(node.kw["start"], node.kw["stop"], node.kw["step"], strict=True)
    )


def whole(shape: Shape) -> Box:
    """Everything of an array of (static) `shape`."""
    return tuple(range(n) for n in shape)


def is_empty(box: Box) -> bool:
    return any(len(indices) == 0 for indices in box)


def attrs(box: Box) -> dict[str, Any]:
    """The attributes of a slice of `box`."""
    return {
        "start": tuple(r.start for r in box),
        "stop": tuple(r.stop for r in box),
        "step": tuple(r.step for r in box),
    }


def slice_of(value: Value, box: Box) -> Value:
    """`value` at `box`; itself if that is all of it."""
    if box == whole(value.type.shape):
        return value
    return apply(lookup("slice"), value, **attrs(box))


def update_of(base: Value, value: Value, box: Box) -> Value:
    """`base` with `value` written at `box`."""
    return apply(lookup("update_slice"), base, value, **attrs(box))


def select(outer: Box, inner: Box) -> Box:
    """The box that selecting `inner` from what `outer` selected amounts to."""
    return tuple(
        normal(range(a.start + a.step * b.start, a.start + a.step * b.stop, a.step * b.step))
        for a, b in zip(outer, inner, strict=True)
    )


def _positions(inner: range, outer: range) -> range | None:
    """Where the indices of `inner` stand in `outer`; None if one is missing."""
    if len(inner) == 0:
        return range(0)
    if inner[0] not in outer or inner[-1] not in outer:
        return None
    first = outer.index(inner[0])
    if len(inner) == 1:
        return range(first, first + 1)
    if inner.step % outer.step:
        return None
    step = inner.step // outer.step
    return normal(range(first, first + step * len(inner), step))


def within(inner: Box, outer: Box) -> Box | None:
    """Where the elements of `inner` stand among those of `outer`; None if one is missing."""
    found: list[range] = []
    for a, b in zip(inner, outer, strict=True):
        positions = _positions(a, b)
        if positions is None:
            return None
        found.append(positions)
    return tuple(found)


def _meet(a: range, b: range) -> bool:
    """Whether two ranges have an index in common (the Chinese remainder theorem)."""
    if len(a) == 0 or len(b) == 0:
        return False
    a, b = (r if r.step > 0 else r[::-1] for r in (a, b))
    low, high = max(a[0], b[0]), min(a[-1], b[-1])
    common = math.gcd(a.step, b.step)
    if low > high or (b[0] - a[0]) % common:
        return False
    period = a.step * b.step // common
    cofactor = b.step // common
    times = (b[0] - a[0]) // common * pow(a.step // common, -1, cofactor) % cofactor if cofactor > 1 else 0
    meeting = a[0] + a.step * times
    return meeting + -(-(low - meeting) // period) * period <= high


def disjoint(a: Box, b: Box) -> bool:
    """Whether no element is in both boxes."""
    return any(not _meet(r, s) for r, s in zip(a, b, strict=True))
