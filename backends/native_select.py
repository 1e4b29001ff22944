"""What a mask selects of several arrays, in one pass: ``x[mask], y[mask]`` without a list of positions.

A part of the mask, and of the formulas that are selected, is computed at a time. A block of the mask becomes the bits
of a word. Where none is set nothing is read, where all are the block is copied; else each array's elements move up to
the end of what has been selected, four at a time by a permutation that the bits choose, and what is too much is
overwritten by the next. What is read where the mask is False (``z[~mask]``) is a second side of the same pass. Where
extrema of blocks are known (`native_extrema`), most blocks need not be looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lazyarr.backends import native_engine, native_extrema, native_modulus
from lazyarr.backends import native_nests as nests
from lazyarr.backends.native_emit import Code, Element, Index, part, stored
from lazyarr.backends.native_room import Room
from lazyarr.backends.native_selections import Selection
from lazyarr.backends.native_storage import Computed, Scalar, Storage, Strided, Unread
from lazyarr.ir import extents
from lazyarr.ir.node import Value

if TYPE_CHECKING:
    from lazyarr.backends.native_frame import Frame

#: Elements of a mask that are looked at together.
BLOCK = native_extrema.BLOCK
#: Elements that are moved together, and written beyond the end of what is selected.
GROUP = 4
#: Elements of formulas that are computed together.
_STRIP = native_modulus.BLOCK
_INDEX = np.dtype("i8")


@dataclass
class _Side:
    """What is selected where the mask is True, or where it is False.

    Attributes
    ----------
    selection : Selection
    values : list of Value
        What is made.
    arrays : list of Storage
        What each of them is selected from.
    targets : list of Strided
        Where they go.
    count : list of str
        The stack slot of the number of elements so far.
    opposite : bool
        Whether the elements are those where the mask is False.
    """

    selection: Selection
    values: list[Value]
    arrays: list[Storage]
    targets: list[Strided]
    count: list[str]
    opposite: bool


def select(frame: Frame, selection: Selection) -> Scalar:
    """Make the pass: the frame gets what the selection's nodes give; gives the number of elements."""
    code = frame.code
    mask = frame.values[selection.mask]
    ready = [one for one in selection.sides if one is selection or _ready(frame, one)]
    sides = [_side(frame, one, mask, one is not selection) for one in ready]
    # Who moves most comes last in a block: what others read stays there so long.
    sides.sort(key=lambda side: len(side.arrays))
    room = Room(frame, mask, [side.selection for side in sides], [side.arrays for side in sides])
    for number, side in enumerate(sides):
        for x, value in zip(side.arrays, side.values, strict=True):
            side.targets.append(room.place(number, x) or _new(frame, x, value))
            frame.working.append(side.targets[-1])
    with code.statement():
        _Pass(frame, mask, sides).emit()
    total = Scalar(_INDEX, ("0",))
    for side in sides:
        count = nests.read(code, _INDEX, side.count)
        _deliver(frame, side, mask, count[0])
        found = Scalar(side.selection.total.types[0].dtype, count)
        if side.selection is selection:
            total = found
        else:
            frame.selected[side.selection.total.values[0]] = found
    return total


def _ready(frame: Frame, selection: Selection) -> bool:
    """Whether what is selected is known, and has not been selected already."""
    return selection.total not in frame.ran and all(v in frame.values for v in selection.sources)


def _side(frame: Frame, selection: Selection, mask: Storage, opposite: bool) -> _Side:
    arrays = [frame.values[value] for value in selection.sources]
    values = [node.values[0] for node in selection.gathers]
    if selection.listed:
        arrays.append(_ramp(mask))
        values.append(selection.positions.values[0])
    return _Side(selection, values, arrays, [], nests.variable(frame.code, _INDEX, ("0",)), opposite)


def _new(frame: Frame, x: Storage, value: Value) -> Strided:
    """New memory for what is selected of an array."""
    bounds = tuple(map(int, extents.bounded(value.type.shape)))
    target = frame.lowering.allocate(x.dtype, bounds, bounds)
    target.buffer.require((bounds[0] + GROUP) * x.dtype.itemsize)
    return target


def _deliver(frame: Frame, side: _Side, mask: Storage, count: str) -> None:
    """Let the frame have what has been selected."""
    for value, x, target in zip(side.values, side.arrays, side.targets, strict=True):
        bounds = tuple(map(int, extents.bounded(value.type.shape)))
        found = Strided.whole(frame.code, x.dtype, target.buffer, (count,), bounds)
        found.limits = x.limits
        frame.selected[value] = found
        if frame.uses.get(value):
            frame.values[value] = found
    if not side.selection.listed:
        frame.selected[side.selection.positions.values[0]] = Unread(_INDEX, (count,), mask.bounds)


def _ramp(mask: Storage) -> Storage:
    """Positions in the mask."""
    ramp = Computed(_INDEX, mask.shape, mask.bounds, lambda c, at, seen: (str(at[0]),), (), 0.5)
    ramp.limits = (0, max(0, mask.bounds[0] - 1))
    return ramp


def _direct(x: Storage) -> bool:
    """Whether elements are neighbours in memory already."""
    return isinstance(x, Strided) and x.strides == (1,)


class _Pass:
    """One pass being made."""

    def __init__(self, frame: Frame, mask: Storage, sides: Sequence[_Side]):
        self.frame, self.code, self.mask, self.sides = frame, frame.code, mask, sides
        self.arrays = list(dict.fromkeys(x for side in sides for x in side.arrays))
        self.vectors = native_engine.has("avx2")
        self.strip = _STRIP
        if len(sides) == 1 and native_extrema.decide(frame, mask):
            self.strip = BLOCK
        #: Where formulas are computed, the mask among them.
        self.scratch = {
            x: self.code.scratch(f"selected {k}", stored(x.dtype), _STRIP * (1 + (x.dtype.kind == "c")))
            for k, x in enumerate((mask, *self.arrays)) if not _direct(x)
        }  # fmt: skip

    def emit(self) -> None:
        """Generate it."""
        code, n = self.code, self.mask.shape[0]
        for x in self.arrays:
            if x.shape[0] != n:
                n = code.minimum(n, x.shape[0])
        whole = n - n % BLOCK if isinstance(n, int) else code.emit(f"and i64 {n}, {-BLOCK}")
        if self.strip == BLOCK:
            blocks = code.emit(f"lshr i64 {whole}, {BLOCK.bit_length() - 1}")
            with native_extrema.candidates(self.frame, self.mask, blocks) as block:
                first = code.mul(block, BLOCK)
                self._compute(first, code.add(first, BLOCK))
                self._block(first, 0)
        else:
            with code.loop(0, whole, self.strip) as first:
                last = code.minimum(code.add(first, self.strip), whole)
                self._compute(first, last)
                with code.loop(0, code.sub(last, first), BLOCK) as offset:
                    self._block(code.add(first, offset), offset)
        with code.loop(whole, self.mask.shape[0]) as k:
            self._one(k)

    def _one(self, k: str) -> None:
        """Move an element of those that make no block."""
        code = self.code
        seen: dict[Any, Any] = {}
        chosen = self.mask.element(code, (k,), seen)[0]
        elements = {x: x.element(code, (self._within(x, k),), seen) for x in self.arrays}
        for side in self.sides:
            at = self._end(side)
            for x, target in zip(side.arrays, side.targets, strict=True):
                target.put(code, (at,), elements[x])
            mine = code.emit(f"xor i1 {chosen}, true") if side.opposite else chosen
            self._move_end(side, at, code.emit(f"zext i1 {mine} to i64"))

    def _within(self, x: Storage, k: str) -> Index:
        """An index that `x` has: where it is shorter than the mask, a check has failed or will."""
        if x.shape[0] == self.mask.shape[0]:
            return k
        return self.code.maximum(self.code.minimum(k, self.code.sub(x.shape[0], 1)), 0)

    def _end(self, side: _Side) -> str:
        return nests.read(self.code, _INDEX, side.count)[0]

    def _move_end(self, side: _Side, at: str, by: str) -> None:
        nests.assign(self.code, _INDEX, side.count, (self.code.emit(f"add i64 {at}, {by}"),))

    def _compute(self, first: Index, last: Index) -> None:
        """Compute a strip of the formulas."""
        code = self.code
        if not self.scratch:
            return

        def elements() -> None:
            with code.loop(first, last) as k:
                seen: dict[Any, Any] = {}
                at = code.sub(k, first)
                for x, place in self.scratch.items():
                    self._store(place, x, at, x.element(code, (k,), seen))

        native_modulus.blockwise(code, list(self.scratch), (), first, last, elements, again=True)

    def _store(self, place: str, x: Storage, at: Index, value: Element) -> None:
        """Put an element of a formula into its strip."""
        code, type = self.code, stored(x.dtype)
        for k, register in enumerate(value):
            if x.dtype.kind == "b":
                register = code.emit(f"zext i1 {register} to i8")
            to = code.emit(f"getelementptr inbounds {type}, ptr {place}, i64 {code.add(code.mul(at, len(value)), k)}")
            code.do(f"store {type} {register}, ptr {to}, align {part(x.dtype).itemsize}")

    def _source(self, x: Storage, first: Index, offset: Index) -> str:
        """Where a block of an array is in memory: `offset` elements from the beginning of its strip."""
        code = self.code
        if x in self.scratch:
            size = x.dtype.itemsize
            return code.emit(f"getelementptr inbounds i8, ptr {self.scratch[x]}, i64 {code.mul(offset, size)}")
        assert isinstance(x, Strided)
        return code.address(code.pointer(x.buffer), x.dtype, x.place(code, (first,)))

    def _block(self, first: Index, offset: Index) -> None:
        code = self.code
        bits = self._bits(first, offset)
        for side in self.sides:
            mine = code.emit(f"xor i{BLOCK} {bits}, -1") if side.opposite else bits
            with code.when(code.emit(f"icmp ne i{BLOCK} {mine}, 0")):
                self._move(side, mine, [self._source(x, first, offset) for x in side.arrays])

    def _move(self, side: _Side, bits: str, places: Sequence[str]) -> None:
        """Move those elements of a block whose bits are set, of which there are some."""
        code = self.code
        whole, partly, end = (code.new_label() for _ in range(3))
        code.branch(code.emit(f"icmp eq i{BLOCK} {bits}, -1"), whole, partly)
        code.start(whole)
        with code.scope():
            self._whole(side, places)
        code.go(end)
        code.start(partly)
        with code.loop(0, BLOCK, GROUP) as k:
            chosen = code.emit(f"lshr i{BLOCK} {bits}, {code.emit(f'trunc i64 {k} to i{BLOCK}')}")
            chosen = code.emit(f"and i{BLOCK} {chosen}, {(1 << GROUP) - 1}")
            self._group(side, places, k, code.emit(f"zext i{BLOCK} {chosen} to i64"))
        code.go(end)
        code.start(end)

    def _bits(self, first: Index, offset: Index) -> str:
        """Which elements of a block the mask selects, the first one in the lowest bit."""
        code = self.code
        word = code.emit(f"load <{BLOCK} x i8>, ptr {self._source(self.mask, first, offset)}, align 1")
        true = code.emit(f"icmp ne <{BLOCK} x i8> {word}, zeroinitializer")
        return code.emit(f"bitcast <{BLOCK} x i1> {true} to i{BLOCK}")

    def _whole(self, side: _Side, places: Sequence[str]) -> None:
        """Move all elements of the block: where masks take out few, most blocks are moved like this."""
        code, end = self.code, self._end(side)
        for place, target in zip(places, side.targets, strict=True):
            size = target.dtype.itemsize
            to = code.emit(f"getelementptr i8, ptr {code.pointer(target.buffer)}, i64 {code.mul(end, size)}")
            # `BLOCK` bytes at a time: so many times as an element has bytes.
            for offset in range(0, BLOCK * size, BLOCK):
                read, written = (code.emit(f"getelementptr inbounds i8, ptr {x}, i64 {offset}") for x in (place, to))
                bytes_ = code.emit(f"load <{BLOCK} x i8>, ptr {read}, align 1")
                code.do(f"store <{BLOCK} x i8> {bytes_}, ptr {written}, align 1")
        self._move_end(side, end, str(BLOCK))

    def _group(self, side: _Side, places: Sequence[str], k: Index, chosen: str) -> None:
        """Move those of `GROUP` elements from number `k` of the block that are `chosen`."""
        code, end = self.code, self._end(side)
        for place, target in zip(places, side.targets, strict=True):
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
        self._move_end(side, end, _ones(code, chosen))


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
