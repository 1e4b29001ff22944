"""Statements whose short last axes broadcast: one long loop over blocks of whole periods.

A row of channels times an image, a centre beside many points: the last axis has a few elements, which do not fill
vectors. What repeats from row to row is computed once for each thread, and written out for a block of many rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lazyarr.backends.native_emit import Code, Element, Index, stored
from lazyarr.backends.native_storage import Buffer, Pointwise, Storage, Strided

#: The longest last axis for which blocks were faster, and the longest with so much arithmetic for each element: what is
#: left of a row is done element by element (docs/performance.md).
_SHORT, _LONG, _MUCH = 19, 64, 24.0
#: Elements of a block, about; most elements of what repeats; most operands that repeat.
_BLOCK, _LONGEST, _MOST = 512, 256, 12


def repeated(source: Storage, target: Strided) -> list[Storage] | None:
    """The operands of a formula that repeat along its leading axes; None where elements are not neighbours otherwise.

    Where the formula is long enough in itself, or nothing repeats, None too.
    """
    shape = target.shape
    if len(shape) < 2 or not target.is_whole or not isinstance(source, Pointwise) or source.shape != shape:
        return None
    if not isinstance(shape[-1], int) or not 1 < shape[-1] <= _LONG:
        return None
    if math.prod([float(n) for n in target.bounds]) < 8 * _BLOCK:
        return None
    found: dict[Storage, None] = {}
    pending: list[Storage] = [source]
    seen: set[Storage] = {source}
    applied: dict[Any, float] = {}
    while pending:
        x = pending.pop()
        assert isinstance(x, Pointwise)
        applied[x.shared] = x.own_flops
        for y in x.operands:
            if y in seen:
                continue
            seen.add(y)
            if y.shape == shape:
                if isinstance(y, Pointwise):
                    pending.append(y)
                elif not (isinstance(y, Strided) and y.is_whole):
                    return None
                continue
            suffix = _suffix(y.shape)
            if suffix:
                if suffix != shape[len(shape) - len(suffix) :] or not all(isinstance(n, int) for n in suffix):
                    return None
                if math.prod([int(n) for n in suffix]) > _LONGEST:
                    return None
                found[y] = None
    if shape[-1] > _SHORT and sum(applied.values()) < _MUCH:
        return None
    return list(found) if 0 < len(found) <= _MOST else None


def _suffix(shape: tuple[Index, ...]) -> tuple[Index, ...]:
    """The shape without the axes of length 1 that it begins with."""
    first = next((k for k, n in enumerate(shape) if not (isinstance(n, int) and n == 1)), len(shape))
    return shape[first:]


def fill(c: Code, target: Strided, source: Storage, repeated: Sequence[Storage], buffers: Sequence[Buffer]) -> None:
    """``target[...] = source``, block by block.

    Parameters
    ----------
    c : Code
    target, source : Storage
    repeated : sequence of Storage
        What `repeated` has found.
    buffers : sequence of Buffer
        That are read and written.
    """
    from lazyarr.backends.native_nests import span, total

    periods = [math.prod([int(n) for n in _suffix(x.shape)]) for x in repeated]
    # (Each period divides the longest: the axes of one are the last ones of the other.)
    size = max(periods) * -(-_BLOCK // max(periods))
    elements = total(c, target.shape)
    blocks: Index
    if isinstance(elements, int):
        blocks = -(-elements // size)
    else:
        blocks = c.emit(f"sdiv i64 {c.add(elements, size - 1)}, {size}")
    bound = math.prod([float(n) for n in target.bounds])
    lead = (0,) * (len(target.shape) - 1)
    with c.statement(), span(c, blocks, bound, source, buffers, elements, size) as (first, last):
        tiles = [_Tile(c, x, period, size) for x, period in zip(repeated, periods, strict=True)]
        with c.loop(first, last) as block:
            start = c.mul(block, size)
            count = c.minimum(c.sub(elements, start), size)
            with c.loop(0, count, within=(0, size)) as k:
                at = (*lead, c.add(start, k))
                assert isinstance(source, Pointwise)
                seen: dict[Any, Any] = {(t.of, source.operand_indices(t.of, at)): t.element(c, k) for t in tiles}
                target.put(c, at, source.element(c, at, seen))


class _Tile:
    """What repeats, as often as a block has room for, on the stack."""

    def __init__(self, c: Code, of: Storage, period: int, size: int):
        self.of, self.dtype = of, of.dtype
        parts = 2 if of.dtype.kind == "c" else 1
        self.pointer = c.alloca(stored(of.dtype), size * parts)
        suffix = [int(n) for n in _suffix(of.shape)]
        lead = (0,) * (len(of.shape) - len(suffix))
        for_all: list[Index] = []

        def rows(axes: list[int], place: Index) -> None:
            if not axes:
                self._put(c, place, of.element(c, (*lead, *for_all), {}))
                return
            with c.loop(0, axes[0]) as i:
                for_all.append(i)
                rows(axes[1:], c.add(c.mul(place, axes[0]), i))
                for_all.pop()

        rows(suffix, 0)
        with c.loop(1, size // period) as row, c.loop(0, period) as k:
            self._put(c, c.add(c.mul(row, period), k), self.element(c, k))

    def element(self, c: Code, k: Index) -> Element:
        """Element `k` of the block."""
        return c.load(None, self.pointer, self.dtype, k)

    def _put(self, c: Code, k: Index, value: Element) -> None:
        c.store(None, self.pointer, self.dtype, k, value)
