"""What a mask selects of several arrays, in one pass: ``x[mask], y[mask]`` without a list of positions.

A block of the mask becomes the bits of a word. Where none is set nothing is read, where all are the block is copied;
else each array's elements move up to the end of what has been selected, four at a time by a permutation that the bits
choose, and what is too much is overwritten by the next. Where extrema of blocks are known (`native_extrema`), most
blocks need not be looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lazyarr.backends import native_engine, native_extrema, native_modulus
from lazyarr.backends import native_nests as nests
from lazyarr.backends.native_emit import Code, Index, part, stored
from lazyarr.backends.native_selections import Selection
from lazyarr.backends.native_storage import Computed, Scalar, Storage, Strided, Unread
from lazyarr.ir import extents

if TYPE_CHECKING:
    from lazyarr.backends.native_frame import Frame

#: Elements of a mask that are looked at together.
BLOCK = native_extrema.BLOCK
#: Elements that are moved together, and written beyond the end of what is selected.
GROUP = 4
_INDEX = np.dtype("i8")


def select(frame: Frame, selection: Selection) -> Scalar:
    """Make the pass: the frame gets what the selection's nodes give; gives the number of elements."""
    code, lowering = frame.code, frame.lowering
    mask = frame.values[selection.mask]
    if native_modulus.has_comparison(mask):
        mask = frame.values[selection.mask] = frame.materialize(mask)
    arrays = [frame.values[value] for value in selection.sources]
    values = [node.values[0] for node in selection.gathers]
    if selection.listed:
        arrays.append(_ramp(mask))
        values.append(selection.positions.values[0])
    targets = []
    for x, value in zip(arrays, values, strict=True):
        bounds = tuple(map(int, extents.bounded(value.type.shape)))
        target = lowering.allocate(x.dtype, bounds, bounds)
        target.buffer.require((bounds[0] + GROUP) * x.dtype.itemsize)
        frame.working.append(target)
        targets.append(target)
    with code.statement():
        count = _Pass(frame, mask, arrays, targets).emit()
    for value, x, target in zip(values, arrays, targets, strict=True):
        found = Strided.whole(code, x.dtype, target.buffer, (count,), target.bounds)
        found.limits = x.limits
        frame.selected[value] = found
        if frame.uses.get(value):
            frame.values[value] = found
    if not selection.listed:
        frame.selected[selection.positions.values[0]] = Unread(_INDEX, (str(count),), mask.bounds)
    return Scalar(selection.total.types[0].dtype, (str(count),))


def _ramp(mask: Storage) -> Storage:
    """Positions in the mask."""
    ramp = Computed(_INDEX, mask.shape, mask.bounds, lambda c, at, seen: (str(at[0]),), (), 0.5)
    ramp.limits = (0, max(0, mask.bounds[0] - 1))
    return ramp


class _Pass:
    """One pass being made."""

    def __init__(self, frame: Frame, mask: Storage, arrays: Sequence[Storage], targets: Sequence[Strided]):
        self.frame, self.code, self.mask, self.arrays, self.targets = frame, frame.code, mask, arrays, targets
        self.count = nests.variable(self.code, _INDEX, ("0",))
        self.vectors = native_engine.has("avx2")

    def emit(self) -> Index:
        """Generate it; gives the number of elements that are selected."""
        code, n = self.code, self.mask.shape[0]
        for x in self.arrays:
            if x.shape[0] != n:
                n = code.minimum(n, x.shape[0])
        whole = n - n % BLOCK if isinstance(n, int) else code.emit(f"and i64 {n}, {-BLOCK}")
        blocks = whole // BLOCK if isinstance(whole, int) else code.emit(f"lshr i64 {whole}, {BLOCK.bit_length() - 1}")
        with native_extrema.candidates(self.frame, self.mask, blocks) as block:
            self._block(code.mul(block, BLOCK))
        with code.loop(whole, self.mask.shape[0]) as k:
            at = self._end()
            for x, target in zip(self.arrays, self.targets, strict=True):
                target.put(code, (at,), x.element(code, (self._within(x, k),), {}))
            self._move_end(at, code.emit(f"zext i1 {self.mask.element(code, (k,), {})[0]} to i64"))
        return self._end()

    def _within(self, x: Storage, k: str) -> Index:
        """An index that `x` has: where it is shorter than the mask, a check has failed or will."""
        if x.shape[0] == self.mask.shape[0]:
            return k
        return self.code.maximum(self.code.minimum(k, self.code.sub(x.shape[0], 1)), 0)

    def _end(self) -> str:
        return nests.read(self.code, _INDEX, self.count)[0]

    def _move_end(self, at: str, by: str) -> None:
        nests.assign(self.code, _INDEX, self.count, (self.code.emit(f"add i64 {at}, {by}"),))

    def _block(self, first: Index) -> None:
        code = self.code
        bits = self._bits(first)
        with code.when(code.emit(f"icmp ne i32 {bits}, 0")):
            places = [self._source(k, x, first) for k, x in enumerate(self.arrays)]
            whole, partly, end = (code.new_label() for _ in range(3))
            code.branch(code.emit(f"icmp eq i{BLOCK} {bits}, -1"), whole, partly)
            code.start(whole)
            with code.scope():
                self._whole(places)
            code.go(end)
            code.start(partly)
            with code.loop(0, BLOCK, GROUP) as k:
                chosen = code.emit(f"lshr i32 {bits}, {code.emit(f'trunc i64 {k} to i32')}")
                self._group(places, k, code.emit(f"zext i32 {code.emit(f'and i32 {chosen}, 15')} to i64"))
            code.go(end)
            code.start(end)

    def _whole(self, places: Sequence[str]) -> None:
        """Move all elements of the block: where masks take out few, most blocks are moved like this."""
        code, end = self.code, self._end()
        for place, target in zip(places, self.targets, strict=True):
            size = target.dtype.itemsize
            to = code.emit(f"getelementptr i8, ptr {code.pointer(target.buffer)}, i64 {code.mul(end, size)}")
            # `BLOCK` bytes at a time: so many times as an element has bytes.
            for offset in range(0, BLOCK * size, BLOCK):
                read, written = (code.emit(f"getelementptr inbounds i8, ptr {x}, i64 {offset}") for x in (place, to))
                bytes_ = code.emit(f"load <{BLOCK} x i8>, ptr {read}, align 1")
                code.do(f"store <{BLOCK} x i8> {bytes_}, ptr {written}, align 1")
        self._move_end(end, str(BLOCK))

    def _bits(self, first: Index) -> str:
        """Which elements of a block the mask selects, the first one in the lowest bit."""
        code, mask = self.code, self.mask
        if isinstance(mask, Strided) and mask.strides == (1,):
            place = code.address(code.pointer(mask.buffer), mask.dtype, mask.place(code, (first,)))
        else:
            place = code.scratch("selected", "i8", BLOCK)
            with code.loop(0, BLOCK) as j:
                byte = code.emit(f"zext i1 {mask.element(code, (code.add(first, j),), {})[0]} to i8")
                code.do(f"store i8 {byte}, ptr {code.emit(f'getelementptr inbounds i8, ptr {place}, i64 {j}')}")
        word = code.emit(f"load <{BLOCK} x i8>, ptr {place}, align 1")
        true = code.emit(f"icmp ne <{BLOCK} x i8> {word}, zeroinitializer")
        return code.emit(f"bitcast <{BLOCK} x i1> {true} to i{BLOCK}")

    def _source(self, number: int, x: Storage, first: Index) -> str:
        """Where a block of an array is in memory."""
        code = self.code
        if isinstance(x, Strided) and x.strides == (1,):
            return code.address(code.pointer(x.buffer), x.dtype, x.place(code, (first,)))
        type, parts = stored(x.dtype), 1 + (x.dtype.kind == "c")
        place = code.scratch(f"selected {number}", type, BLOCK * parts)
        with code.loop(0, BLOCK) as j:
            for k, value in enumerate(x.element(code, (code.add(first, j),), {})):
                if x.dtype.kind == "b":
                    value = code.emit(f"zext i1 {value} to i8")
                at = code.add(code.mul(j, parts), k)
                to = code.emit(f"getelementptr inbounds {type}, ptr {place}, i64 {at}")
                code.do(f"store {type} {value}, ptr {to}, align {part(x.dtype).itemsize}")
        return place

    def _group(self, places: Sequence[str], k: Index, chosen: str) -> None:
        """Move those of `GROUP` elements from number `k` of the block that are `chosen`."""
        code, end = self.code, self._end()
        for place, target in zip(places, self.targets, strict=True):
            size = target.dtype.itemsize
            source = code.emit(f"getelementptr inbounds i8, ptr {place}, i64 {code.mul(k, size)}")
            to = code.emit(f"getelementptr i8, ptr {code.pointer(target.buffer)}, i64 {code.mul(end, size)}")
            if self.vectors and size == 8:
                _permuted(code, source, to, chosen)
            elif self.vectors and size == 16:
                low, high = code.emit(f"and i64 {chosen}, 3"), code.emit(f"lshr i64 {chosen}, 2")
                _permuted(code, source, to, _pairs(code, low))
                to = code.emit(f"getelementptr i8, ptr {to}, i64 {code.mul(_ones(code, low), 16)}")
                source = code.emit(f"getelementptr inbounds i8, ptr {source}, i64 32")
                _permuted(code, source, to, _pairs(code, high))
            else:
                _one_by_one(code, source, to, chosen, size)
        self._move_end(end, _ones(code, chosen))


def _ones(c: Code, bits: str) -> str:
    c.module.declare("ctpop", "declare i64 @llvm.ctpop.i64(i64)")
    return c.emit(f"call i64 @llvm.ctpop.i64(i64 {bits})")


def _pairs(c: Code, bits: str) -> str:
    """Two bits, each of them twice."""
    low = c.emit(f"mul i64 {c.emit(f'and i64 {bits}, 1')}, 3")
    high = c.emit(f"mul i64 {c.emit(f'and i64 {bits}, 2')}, 6")
    return c.emit(f"or i64 {low}, {high}")


def _permuted(c: Code, source: str, to: str, chosen: str) -> None:
    """Move the chosen ones of four words of 64 bits; what follows them is overwritten by what comes next."""
    rows = []
    for bits in range(1 << GROUP):
        words = [k for k in range(GROUP) if bits >> k & 1]
        words += [0] * (GROUP - len(words))
        rows.append(f"<8 x i32> <{', '.join(f'i32 {2 * k}, i32 {2 * k + 1}' for k in words)}>")
    table = f"@chosen = internal constant [{len(rows)} x <8 x i32>] [{', '.join(rows)}]"
    c.module.declare("chosen", table)
    c.module.declare("permd", "declare <8 x i32> @llvm.x86.avx2.permd(<8 x i32>, <8 x i32>)")
    row = c.emit(f"getelementptr inbounds <8 x i32>, ptr @chosen, i64 {chosen}")
    order = c.emit(f"load <8 x i32>, ptr {row}, align 32")
    words_ = c.emit(f"load <8 x i32>, ptr {source}, align 8")
    moved = c.emit(f"call <8 x i32> @llvm.x86.avx2.permd(<8 x i32> {words_}, <8 x i32> {order})")
    c.do(f"store <8 x i32> {moved}, ptr {to}, align 8")


def _one_by_one(c: Code, source: str, to: str, chosen: str, size: int) -> None:
    """Move the chosen ones of `GROUP` elements of `size` bytes, without a branch: each is written, the next over it."""
    type, at = f"i{8 * size}", "0"
    for k in range(GROUP):
        place = c.emit(f"getelementptr inbounds i8, ptr {source}, i64 {k * size}")
        value = c.emit(f"load {type}, ptr {place}, align 1")
        there = c.emit(f"getelementptr {type}, ptr {to}, i64 {at}")
        c.do(f"store {type} {value}, ptr {there}, align 1")
        if k < GROUP - 1:
            bit = c.emit(f"and i64 {c.emit(f'lshr i64 {chosen}, {k}')}, 1")
            at = c.emit(f"add i64 {at}, {bit}")
