"""Large arrays that are written and not read: past the caches.

A store into a line that is not in the cache reads the line first. Of an array that caches cannot keep, nothing is
gained by that: lines are made on the stack, and written whole by non-temporal stores. (LLVM's vectorizer makes none of
those of elements, for it would have to know where lines begin.)
"""

from __future__ import annotations

import platform
from collections.abc import Sequence

import numpy as np

from lazyarr.backends import native_nests as nests
from lazyarr.backends.native_emit import Code, Index
from lazyarr.backends.native_storage import Buffer, Storage, Strided

#: Bytes of arrays from which on, and of their rows; the most arithmetic for an element beside which memory counts.
_LARGE, _ROW, _FLOPS = 1 << 24, 1 << 12, 24.0
#: Bytes of a line, and of what is made before it is written: longer streams of loads and stores take turns badly.
_LINE, _TILE = 64, 512


def worth_it(target: Strided, source: Storage) -> bool:
    """Whether ``target[...] = source`` had better write past the caches."""
    if platform.machine() != "x86_64" or not all(isinstance(n, int) for n in target.shape):
        return False
    if not target.shape or target.strides[-1] != 1 or target.buffer in source.buffers or source.flops > _FLOPS:
        return False
    size = target.dtype.itemsize
    return target.bounds[-1] * size >= _ROW and int(np.prod(target.bounds, dtype=object)) * size >= _LARGE


def fill(c: Code, target: Strided, source: Storage, shape: tuple[Index, ...], buffers: Sequence[Buffer]) -> None:
    """``target[...] = source``, over `shape` (`native_nests.loops_for`)."""
    axis = next(k for k, n in enumerate(shape) if n != 1)
    lead, elements = (0,) * axis, float(np.prod([float(b) for b in target.bounds]))
    with c.statement(), nests.span(c, shape[axis], elements, source, buffers, nests.total(c, shape)) as (first, last):
        if axis == len(shape) - 1:
            row(c, target, source, lead, first, last)
        else:
            with c.loop(first, last, within=(0, int(shape[axis]))) as i, nests.nest(c, shape[axis + 1 : -1]) as rest:
                row(c, target, source, (*lead, i, *rest), 0, shape[-1])
        fence(c)


def fence(c: Code) -> None:
    """Let what was written be seen by other threads before anything that is written afterwards."""
    c.module.declare("sfence", "declare void @llvm.x86.sse.sfence()")
    c.do("call void @llvm.x86.sse.sfence()")


def row(c: Code, target: Strided, source: Storage, lead: tuple[Index, ...], first: Index, last: Index) -> None:
    """Elements of the last axis from `first` to before `last`: whole lines past the caches, others as ever."""
    dtype, size = target.dtype, target.dtype.itemsize
    many = _TILE // size
    pointer = c.pointer(target.buffer)
    place = c.emit(f"ptrtoint ptr {c.address(pointer, dtype, target.place(c, (*lead, first)))} to i64")
    ahead = c.emit(f"and i64 {c.emit(f'sub i64 0, {place}')}, {_LINE - 1}")
    # (Of an array that is not aligned no line begins with an element.)
    even = c.emit(f"icmp eq i64 {c.emit(f'and i64 {ahead}, {size - 1}')}, 0")
    head = c.emit(f"select i1 {even}, i64 {c.emit(f'udiv i64 {ahead}, {size}')}, i64 {c.sub(last, first)}")
    begin = c.minimum(c.add(first, head), last)
    tiles = c.emit(f"sdiv i64 {c.sub(last, begin)}, {many}")
    end = c.add(begin, c.mul(tiles, many))

    def singly(low: Index, high: Index) -> None:
        with c.loop(low, high, scalar=True) as k:
            target.put(c, (*lead, k), source.element(c, (*lead, k), {}))

    singly(first, begin)
    tile = c.alloca("i8", _TILE, _LINE)
    hint = c.module.metadata("!{i32 1}")
    with c.loop(0, tiles) as t:
        start = c.add(begin, c.mul(t, many))
        with c.loop(0, many) as k:
            c.store(None, tile, dtype, k, source.element(c, (*lead, c.add(start, k)), {}))
        line = c.address(pointer, dtype, target.place(c, (*lead, start)))
        for offset in range(0, _TILE, _LINE):
            made, into = (c.emit(f"getelementptr inbounds i8, ptr {p}, i64 {offset}") for p in (tile, line))
            whole = c.emit(f"load <{_LINE} x i8>, ptr {made}, align {_LINE}")
            c.do(f"store <{_LINE} x i8> {whole}, ptr {into}, align {_LINE}, !nontemporal !{hint}")
    singly(end, last)
