"""Arrays of which a part has been replaced, as formulas: what several writes one after the other leave behind.

``u[:, :-1] += f; u[:, 1:] -= f`` need not be two passes over memory: an element of the result is known from its place.
A nest that stores such an array is cut into boxes, in each of which it is decided what every element is made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from lazyarr.backends.native_emit import Code, Element, Index, register
from lazyarr.backends.native_storage import (
    Map,
    Pointwise,
    Rolled,
    Storage,
    Strided,
    View,
    reads_elsewhere,
    touches,
    view,
)

#: Boxes that one nest is cut into, at most: each has code of its own.
MOST = 36
#: From where to where, on one axis.
Span = tuple[int, int]


class Patched(Storage):
    """The array `x` with the box that `map` takes of it replaced by `value`."""

    def __init__(self, x: Storage, map: Map, value: Storage):
        self.dtype, self.shape, self.bounds = x.dtype, x.shape, x.bounds
        self.inner, self.map, self.value, self.operands = x, map, value, (x, value)
        self.buffers = x.buffers | value.buffers
        self.flops = max(x.flops, value.flops)
        self.depth = 1 + max(x.depth, value.depth)
        self.spans = _spans(map, x.shape, value.shape)

    def compute(self, code: Code, at: tuple[Index, ...], seen: dict[Any, Any]) -> Element:
        unsure = []
        for k, (index, (low, high)) in enumerate(zip(at, self.spans, strict=True)):
            least, most = (index, index) if isinstance(index, int) else code.ranges.get(index, (0, self.bounds[k] - 1))
            if most < low or least >= high:
                return self.inner.element(code, at, seen)
            if least < low or most >= high:
                unsure.append(k)
        if not unsure:
            return self.value.element(code, self._within(code, at), seen)
        inside = "true"
        for k in unsure:
            low, high = self.spans[k]
            above = code.emit(f"icmp sge i64 {at[k]}, {low}")
            below = code.emit(f"icmp slt i64 {at[k]}, {high}")
            inside = code.emit(f"and i1 {inside}, {code.emit(f'and i1 {above}, {below}')}")
        slots = [code.alloca(register(self.dtype)) for _ in range(2 if self.dtype.kind == "c" else 1)]
        yes, no, end = (code.new_label() for _ in range(3))
        code.branch(inside, yes, no)
        for label in (yes, no):
            code.start(label)
            with code.scope():
                own = dict(seen)
                if label == yes:
                    found = self.value.element(code, self._within(code, at), own)
                else:
                    found = self.inner.element(code, at, own)
                for slot, part in zip(slots, found, strict=True):
                    code.do(f"store {register(self.dtype)} {part}, ptr {slot}")
            code.go(end)
        code.start(end)
        return tuple(code.emit(f"load {register(self.dtype)}, ptr {slot}") for slot in slots)

    def _within(self, code: Code, at: Sequence[Index]) -> tuple[Index, ...]:
        """The indices of `value` for an element inside."""
        found: list[Index] = [0] * len(self.value.shape)
        for index, m, (low, _) in zip(at, self.map, self.spans, strict=True):
            if m.axis >= 0:
                found[m.axis] = code.sub(index, low)
        return tuple(found)

    def elsewhere(self, code: Code, written: Strided, aligned: bool) -> bool:
        if not (aligned and written.is_whole and written.shape == self.shape):
            return any(reads_elsewhere(code, x, written, False) for x in self.operands)
        own = view(code, written, self.map, self.value.shape, self.value.bounds)
        assert isinstance(own, Strided)
        return reads_elsewhere(code, self.inner, written) or reads_elsewhere(code, self.value, own)

    def touched(self, box: Strided) -> bool:
        return any(touches(x, box) for x in self.operands)


def _spans(map: Map, shape: Sequence[Index], window: Sequence[Index]) -> list[Span]:
    found = []
    for m in map:
        length = window[m.axis] if m.axis >= 0 else 1
        assert isinstance(m.start, int) and isinstance(length, int)
        found.append((m.start, m.start + length))
    return found


def patchable(x: Storage, map: Map, value: Storage) -> bool:
    """Whether where the window lies is known, without gaps and not turned around."""
    if not x.shape or not all(isinstance(n, int) for n in (*x.shape, *value.shape)):
        return False
    order = [m.axis for m in map if m.axis >= 0]
    if order != list(range(len(value.shape))) or any(n == 0 for n in (*x.shape, *value.shape)):
        return False
    return all(isinstance(m.start, int) and (m.axis < 0 or m.step == 1 or value.shape[m.axis] == 1) for m in map)


def breaks(storage: Storage, axis: int, known: dict[tuple[Storage, int], set[int]] | None = None) -> set[int]:
    """Indices on an axis at which what is read jumps: between them it moves along."""
    # What several formulas read is looked at once.
    known = {} if known is None else known
    if (storage, axis) not in known:
        known[storage, axis] = _breaks(storage, axis, known)
    return known[storage, axis]


def _breaks(storage: Storage, axis: int, known: dict[tuple[Storage, int], set[int]]) -> set[int]:
    if isinstance(storage, Rolled):
        inner = breaks(storage.inner, axis, known)
        if axis != storage.axis:
            return inner
        return {storage.shift} | {(b + storage.shift) % storage.length for b in inner}
    if isinstance(storage, View):
        for k, m in enumerate(storage.map):
            if m.axis == axis and m.step == 1 and isinstance(m.start, int):
                start = m.start
                return {b - start for b in breaks(storage.inner, k, known)}
        return set()
    found: set[int] = set()
    if isinstance(storage, Patched):
        m, (low, high) = storage.map[axis], storage.spans[axis]
        found = {low, high} | breaks(storage.inner, axis, known)
        if m.axis >= 0:
            found |= {b + low for b in breaks(storage.value, m.axis, known)}
    if isinstance(storage, Pointwise):
        for x in storage.operands:
            own = axis - (len(storage.shape) - len(x.shape))
            if own >= 0 and x.shape[own] != 1:
                found |= breaks(x, own, known)
    return found


def boxes(source: Storage, shape: Sequence[Index]) -> list[list[Span]] | None:
    """For each axis the parts on which all that is read moves along; None if there is but one box, or too many."""
    if source.shape != tuple(shape) or not all(isinstance(n, int) and n > 0 for n in shape):
        return None
    found = []
    for axis, n in enumerate(shape):
        assert isinstance(n, int)
        cuts = sorted({0, n, *(b for b in breaks(source, axis) if 0 < b < n)})
        found.append(list(pairwise(cuts)))
    return found if 1 < np.prod([len(spans) for spans in found]) <= MOST else None


def spans_within(source: Storage, box: Sequence[Span]) -> list[Span]:
    """The parts of the next axis in a box of the first ones: fewer where these decide already."""
    axis = len(box)
    while isinstance(source, Patched) and any(
        high <= low_ or low >= high_ for (low_, high_), (low, high) in zip(source.spans, box, strict=False)
    ):
        source = source.inner
    n = source.bounds[axis]
    return list(pairwise(sorted({0, n, *(b for b in breaks(source, axis) if 0 < b < n)})))


def unchanged(source: Storage, target: Strided, box: Sequence[Span]) -> bool:
    """Whether all elements of a box are in `target` already: it holds what was patched."""
    while isinstance(source, Patched):
        apart = [high <= low_ or low >= high_ for (low, high), (low_, high_) in zip(source.spans, box, strict=True)]
        if not any(apart):
            return False
        source = source.inner
    return isinstance(source, Strided) and source.buffer is target.buffer and source.is_whole and target.is_whole


def bottom(storage: Storage) -> Storage:
    """The array that has been patched."""
    while isinstance(storage, Patched):
        storage = storage.inner
    return storage
