"""Statements on arrays of one size that follow one another, done together: block by block, so that what one stores the
next finds in the cache.

They wait (`Waiting`) until something else needs one of the arrays, or cannot be done with them.
"""

from __future__ import annotations

from collections.abc import Callable

from lazyarr.backends import native_modulus, native_steps, native_streams, native_tiles
from lazyarr.backends import native_nests as nests
from lazyarr.backends.native_emit import Code
from lazyarr.backends.native_patched import boxes
from lazyarr.backends.native_steps import Fill
from lazyarr.backends.native_storage import Buffer, Pointwise, Storage, Strided, reads_elsewhere
from lazyarr.backends.native_views import VIEWS
from lazyarr.ir.node import Node

#: Elements that every statement does in turn.
BLOCK = 1024
#: Elements from which on statements wait for others: fewer are in the cache anyway.
_LEAST = 8192
#: Statements that are done together at most, and arrays that they read and write: each is a stream from memory.
_MOST, _STREAMS = 8, 12
#: Operations of which results are formulas or registers, or that write through `Frame.fill`.
_QUIET = {"const", "update_slice", "concatenate"}


class Waiting:
    """Statements ``target[...] = source`` that are not generated yet.

    Parameters
    ----------
    code : Code
    read : callable
        The buffers that are read later, beside those of what waits.
    """

    def __init__(self, code: Code, read: Callable[[], set[Buffer]]):
        self._code, self._read = code, read
        self._statements: list[Fill] = []
        #: The same for `native_tiles`; None where one of them cannot be part of tiles. Whether blocks are possible.
        self._tiled: list[native_steps.Statement] | None = []
        self._flat = True
        #: Those of their buffers that were allocated for them: nobody needs what was there before.
        self._own: set[Buffer] = set()

    @property
    def buffers(self) -> set[Buffer]:
        """What they read and write."""
        return _buffers(self._statements)

    @property
    def is_possible(self) -> bool:
        """Whether what is generated now may come later: it belongs to no statement, and to one thread."""
        code = self._code
        return code.part is None and code.aliases is None and code.recording is None

    def quiet(self, node: Node) -> bool:
        """Whether an operation may be lowered while statements wait: it reads no array, or sees to them itself."""
        if not self._statements or node.op.pointwise or node.op.name in _QUIET:
            return True
        return node.op.name in VIEWS and bool(node.types[0].shape)  # (Else an element is read.)

    def is_between(self, buffer: Buffer) -> bool:
        """Whether a statement that waits writes a buffer that may turn out to need no memory, once all is known."""
        if self._tiled is None or buffer not in self._own or buffer.capacity < native_tiles.BEYOND:
            return False
        return any(s.written is buffer for s in self._tiled)

    def fill(self, target: Strided, source: Storage, own: bool = False) -> None:
        """``target[...] = source``, now or later; `own`: into memory that was allocated for it."""
        length = self._length(target, source)
        tiled, flat = native_tiles.statement(self._code, target, source), length > 0
        if self._statements:
            in_blocks = self._flat and flat and self._joins(target, source, length, self._statements)
            in_tiles = self._tiled is not None and tiled is not None and native_tiles.joins(self._tiled, tiled)
            if in_blocks or in_tiles:
                tiled, flat = tiled if in_tiles else None, in_blocks
            else:
                self.flush()
        if not flat and tiled is None:
            nests.fill(self._code, target, source)
            return
        self._flat = flat
        self._statements.append((target, source))
        if tiled is None:
            self._tiled = None
        elif self._tiled is not None:
            self._tiled.append(tiled)
        if own:
            self._own.add(target.buffer)

    def flush(self) -> None:
        """Do what waits."""
        statements, tiled, flat, own = self._statements, self._tiled, self._flat, self._own
        self._statements, self._tiled, self._flat, self._own = [], [], True, set()
        if tiled:
            tiles = native_tiles.Tiles(tiled, self._read(), own)
            if tiles.block:
                tiles.emit(self._code)
                return
        for group in [statements] if flat else self._groups(statements):
            if len(group) == 1:
                nests.fill(self._code, *group[0])
            elif group:
                _blocks(self._code, group, self._length(*group[0]))

    def _groups(self, statements: list[Fill]) -> list[list[Fill]]:
        """Statements that cannot all be done block by block, as groups of which each can."""
        groups: list[list[Fill]] = []
        for target, source in statements:
            length = self._length(target, source)
            if groups and length and self._joins(target, source, length, groups[-1]):
                groups[-1].append((target, source))
            else:
                groups.append([(target, source)])
        return groups

    def _length(self, target: Strided, source: Storage) -> int:
        """The number of elements of a statement that may wait; 0 for another one."""
        c = self._code
        if c.recording is not None or c.part is not None or not isinstance(source, Pointwise):
            return 0
        shape = nests.loops_for(c, (target, source), target.shape)
        if any(n != 1 for n in shape[:-1]) or not isinstance(shape[-1], int) or shape[-1] < _LEAST:
            return 0
        if not target.is_whole or boxes(source, shape) is not None or native_modulus.has_comparison(source):
            return 0
        return shape[-1]

    def _joins(self, target: Strided, source: Storage, length: int, others: list[Fill]) -> bool:
        """Whether a statement may be done block by block with others."""
        if not others or len(others) == _MOST or self._length(*others[0]) != length:
            return False
        if len(_buffers([*others, (target, source)])) > _STREAMS:
            return False
        if not any(other.buffer in source.buffers or other_source.buffers & source.buffers
                   for other, other_source in others):  # fmt: skip
            return False
        # (What one of them writes, a later one may write again: all do the same elements in turn.)
        return not any(
            reads_elsewhere(self._code, source, other) or reads_elsewhere(self._code, other_source, target)
            for other, other_source in others
        )


def _buffers(statements: list[Fill]) -> set[Buffer]:
    """What statements read and write."""
    return {b for target, source in statements for b in (target.buffer, *source.buffers)}


def _blocks(c: Code, statements: list[tuple[Strided, Storage]], length: int) -> None:
    """All statements on one block after another."""
    leads = [tuple(0 for _ in nests.loops_for(c, pair, pair[0].shape)[1:]) for pair in statements]
    count = -(-length // BLOCK)
    buffers = list(dict.fromkeys(b for target, source in statements for b in (target.buffer, *source.buffers)))
    heaviest = max((source for _, source in statements), key=nests.work)
    inner = float(BLOCK * len(statements))
    read = {b for _, source in statements for b in source.buffers}
    past = [y for y, source in statements if y.buffer not in read and native_streams.worth_it(y, source)]
    with c.statement(), nests.span(c, count, float(count), heaviest, buffers, count, inner) as (low, high):
        with c.loop(low, high, within=(0, count)) as block:
            first = c.mul(block, BLOCK)
            last = c.minimum(c.add(first, BLOCK), length)
            for (target, source), lead in zip(statements, leads, strict=True):
                if target in past:
                    native_streams.row(c, target, source, lead, first, last)
                    continue
                within = target.buffer in source.buffers
                with c.loop(first, last, within=(0, length), free=within) as k:
                    target.put(c, (*lead, k), source.element(c, (*lead, k), {}))
        if past:
            native_streams.fence(c)
