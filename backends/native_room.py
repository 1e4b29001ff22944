"""Which array's memory takes what a mask selects: one that is read for the last time.

What is selected moves towards the front, behind what has been read. So ``x = x[mask]`` stays where it is, and a loop
that shrinks its arrays reads and writes one place in memory, not two in turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lazyarr.backends.native_selections import Selection
from lazyarr.backends.native_storage import Buffer, Pointwise, Storage, Strided, View, reads_elsewhere
from lazyarr.ir.node import Node, Value

if TYPE_CHECKING:
    from lazyarr.backends.native_frame import Frame


class Room:
    """The memory of what one pass reads.

    Parameters
    ----------
    frame : Frame
    mask : Storage
    selections : sequence of Selection
        What is selected; of each block of the mask, those that come first move first.
    arrays : sequence of sequence of Storage
        What each of them is selected from.
    """

    def __init__(self, frame: Frame, mask: Storage, selections: Sequence[Selection],
                 arrays: Sequence[Sequence[Storage]]):  # fmt: skip
        self._frame, self._mask, self._arrays = frame, mask, arrays
        self._last = _read_for_the_last_time(frame, selections)
        self._taken: set[Buffer] = set()

    def place(self, number: int, x: Storage) -> Strided | None:
        """Memory that may take what selection `number` selects of `x`; None where new memory is needed."""
        for place in _places(x):
            buffer = place.buffer
            if not (_begins(place, x) and self._own(buffer)) or buffer in self._taken or self._needed(buffer):
                continue
            # (Formulas are computed before anything moves.)
            moved = [y for arrays in self._arrays[number:] for y in arrays]
            copied = [y for y in moved if isinstance(y, Strided) and y.buffer is buffer]
            if copied and copied != [x] or isinstance(self._mask, Strided) and self._mask.buffer is buffer:
                continue
            every = [y for arrays in self._arrays for y in arrays]
            if any(reads_elsewhere(self._frame.code, y, place) for y in (*every, self._mask) if y is not place):
                continue
            self._taken.add(buffer)
            self._frame.lowering.writes(buffer)
            return Strided.whole(self._frame.code, x.dtype, buffer, place.bounds, place.bounds)
        return None

    def _own(self, buffer: Buffer) -> bool:
        """Whether a buffer is the program's own, and this thread's: an argument's has the argument's length."""
        lowering = self._frame.lowering
        argument = buffer.number < len(lowering.frames[0].graph.params)
        return buffer.owned and not argument and buffer.part is lowering.code.part

    def _needed(self, buffer: Buffer) -> bool:
        """Whether someone reads a buffer later, but for values that are read for the last time."""
        frame, lowering = self._frame, self._frame.lowering
        if buffer in lowering.held:
            return True
        if any(buffer in storage.buffers for value, storage in frame.values.items() if value not in self._last):
            return True
        others = [f for f in lowering.frames if f is not frame]
        return any(buffer in s.buffers for f in others for s in (*f.values.values(), *f.working))


def _places(x: Storage) -> Iterator[Strided]:
    """The arrays that `x` is made of."""
    if isinstance(x, Strided):
        yield x
    elif isinstance(x, View):
        yield from _places(x.inner)
    elif isinstance(x, Pointwise):
        for operand in x.operands:
            yield from _places(operand)


def _begins(place: Strided, x: Storage) -> bool:
    """Whether an array like `x` is what a buffer begins with."""
    fits = place.dtype.itemsize == x.dtype.itemsize and place.bounds == x.bounds
    return fits and place.strides == (1,) and place.offset == 0


def _read_for_the_last_time(frame: Frame, selections: Sequence[Selection]) -> set[Value]:
    """The values that nobody needs after the pass."""
    made: set[Node] = {node for one in selections for node in (one.total, *one.nodes)}
    for one in selections:
        # What counts, and the mask of the second, are not looked at any more.
        for node in (one.total.operands[0].node, one.mask.node):
            users = [user for user in frame.graph.nodes if any(v in user.operands for v in node.values)]
            if all(user in made for user in users) and not any(v in frame.graph.roots for v in node.values):
                made.add(node)
    ahead = made - frame.ran
    values = {v for one in selections for v in (*one.sources, one.mask) if v in frame.values}
    return {v for v in values if frame.uses[v] == sum(node.operands.count(v) for node in ahead)}
