"""Statements on arrays of one size that follow one another, done together: block by block, so that what one stores the
next finds in the cache.

They wait (`Waiting`) until something else needs one of the arrays, or cannot be done with them.
"""

from __future__ import annotations

from lazyarr.backends import native_modulus, native_streams
from lazyarr.backends import native_nests as nests
from lazyarr.backends.native_emit import Code
from lazyarr.backends.native_patched import boxes
from lazyarr.backends.native_storage import Buffer, Pointwise, Storage, Strided, reads_elsewhere

#: Elements that every statement does in turn.
BLOCK = 1024
#: Elements from which on statements wait for others: fewer are in the cache anyway.
_LEAST = 8192
#: Statements that are done together at most, and arrays that they read and write: each is a stream from memory.
_MOST, _STREAMS = 8, 12
#: Operations of which results are formulas or registers: nothing is read while they are lowered.
_QUIET = {"full", "iota", "const", "slice", "transpose", "expand", "broadcast"}


class Waiting:
    """Statements ``target[...] = source`` that are not generated yet."""

    def __init__(self, code: Code):
        self._code = code
        self._statements: list[tuple[Strided, Storage]] = []

    @property
    def buffers(self) -> set[Buffer]:
        """What they read and write."""
        return {b for target, source in self._statements for b in (target.buffer, *source.buffers)}

    def quiet(self, name: str, pointwise: bool) -> bool:
        """Whether an operation may be lowered while statements wait."""
        return not self._statements or pointwise or name in _QUIET

    def fill(self, target: Strided, source: Storage) -> None:
        """``target[...] = source``, now or later."""
        length = self._length(target, source)
        if length and self._joins(target, source, length):
            self._statements.append((target, source))
            return
        self.flush()
        if length:
            self._statements.append((target, source))
        else:
            nests.fill(self._code, target, source)

    def flush(self) -> None:
        """Do what waits."""
        statements, self._statements = self._statements, []
        if len(statements) == 1:
            nests.fill(self._code, *statements[0])
        elif statements:
            _blocks(self._code, statements, self._length(*statements[0]))

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

    def _joins(self, target: Strided, source: Storage, length: int) -> bool:
        """Whether a statement may be done block by block with those that wait."""
        others = self._statements
        if not others or len(others) == _MOST or self._length(*others[0]) != length:
            return False
        if len(self.buffers | {target.buffer, *source.buffers}) > _STREAMS:
            return False
        if not any(other.buffer in source.buffers or other_source.buffers & source.buffers
                   for other, other_source in others):  # fmt: skip
            return False
        # (What one of them writes, a later one may write again: all do the same elements in turn.)
        return not any(
            reads_elsewhere(self._code, source, other) or reads_elsewhere(self._code, other_source, target)
            for other, other_source in others
        )


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
