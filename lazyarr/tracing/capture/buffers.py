"""Lists that grow in compiled loops as data decides: their items are rows of arrays, their lengths numbers.

``path.append(x)`` is then ``rows[count] = x; count += 1``. Rows and count are arrays that are changed in place, so that
loops and branches treat them as they treat all others. Lists that grow by the same in each iteration, and are not read
in it, need no count (see `rows`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lazyarr import soft
from lazyarr.array import LazyArray
from lazyarr.computed import ComputedScalar, computed, number_of
from lazyarr.computed_arithmetic import smaller
from lazyarr.convert import as_lazy
from lazyarr.growing import UNKNOWN, Column, Growing, leaves, next_number, row_types
from lazyarr.ir.op import OPS
from lazyarr.ops.create import const
from lazyarr.runtime import NotCaptured, guard, record
from lazyarr.tracing.capture.state import cells_of, form, made_of, unnumbered
from lazyarr.weak import WeakScalar

if TYPE_CHECKING:
    from lazyarr.tracing.capture.loops import LoopCapture
    from lazyarr.tracing.trace import Trace

#: What the guard says where a program has less memory for a list than it needs.
NO_ROOM = "a list fits into the memory that the program has for it"
#: Items for which there is room where it is not known how often a loop runs, bytes that these take at most, and items
#: for which there is room in any case.
_ITEMS, _BYTES, _FEW = 1024, 1 << 26, 16
#: Items that may be appended after the loop.
_SPARE = 4
#: Items from before a loop, of which there are copies in the rows, at most.
_MOST_BEFORE = 64


class NeedsRoom(BaseException):
    """A loop changes the length of a list from before it: there has to be memory, and the body is traced again.

    Not an Exception, so that the user's own ``except Exception`` does not take it for the program's.
    """

    def __init__(self, loop: LoopCapture, found: Growing, form: Any, items: int | None, pops: bool):
        super().__init__("a list grows in a loop")
        self.loop, self.found, self.form, self.items, self.pops = loop, found, form, items, pops


@dataclass(eq=False)
class Buffer:
    """The memory of a list that grows.

    Attributes
    ----------
    opener : LoopCapture
        The loop before which it was made.
    number : int
        Lists and buffers made later have higher ones.
    rows : list of LazyArray
        For each number or array in an item, one that holds it of all items.
    count : LazyArray
        How many items there are: an integer without axes.
    form : object
        Of each item: see `state.form`.
    capacity : int
        How many items there may be.
    first : int
        How many the list had.
    uniform : bool
        Whether these are of the form, too, and in the rows.
    pops : bool
        Whether items are taken out.
    appended : int
        How many may have been appended.
    certain : bool
        Whether just as many have.
    """

    opener: LoopCapture
    number: int
    rows: list[LazyArray]
    count: LazyArray
    form: Any
    capacity: int
    first: int
    uniform: bool
    pops: bool
    appended: int = 0
    certain: bool = True
    _used: tuple[Any, list[LazyArray]] | None = None

    @property
    def length(self) -> Any:
        """How many items there are, as Python's number."""
        return number_of(self.count._value(), self.least, self.capacity)

    @property
    def least(self) -> int:
        """How many items there are at least."""
        return 0 if self.pops else self.first

    def used(self) -> list[LazyArray]:
        """The rows that are items."""
        now = (self.count._value(), *(rows._value() for rows in self.rows))
        if self._used is None or self._used[0] != now:
            self._used = now, [rows[: self.length] for rows in self.rows]
        return self._used[1]


class Lists:
    """What becomes of the lists of a trace that loops make longer or shorter.

    Attributes
    ----------
    loops : list of LoopCapture
        Those of which a body is traced now, the outermost first.
    ways : int
        How many ways of branches are traced now, one in the other.
    room : int
        By what there is more room for lists of unknown length than at first.
    """

    def __init__(self, trace: Trace):
        self._trace = trace
        self._buffers: list[Buffer] = []
        self.loops: list[LoopCapture] = []
        self.ways = 0
        self.room = 1

    def marks(self) -> Callable[[], None]:
        """What goes back to how many items have been appended by now."""
        before = [(buffer, buffer.appended, buffer.certain) for buffer in self._buffers]

        def restore() -> None:
            for buffer, appended, certain in before:
                buffer.appended, buffer.certain = appended, certain

        return restore

    # -- memory --------------------------------------------------------------------------------------------

    def open(self, need: NeedsRoom) -> None:
        """Make the memory of a list, outside of the loop that changes its length.

        Raises
        ------
        NotCaptured
            If arrays do not hold its items.
        """
        found, wanted, old = need.found, need.form, need.found.buffer
        types = row_types(wanted, 1)
        if types is None:
            raise NotCaptured("the loop changes a list, which gets items that arrays do not hold")
        if old is None:
            found.settle()
        before = found.elements()
        if len(before) > _MOST_BEFORE:
            raise NotCaptured("the loop changes a list that is long before it")
        uniform = all(form(item) == wanted for item in before)
        if need.pops and before and (not uniform or unnumbered(wanted)):
            raise NotCaptured("the loop changes a list: it takes out arrays from before it")
        items = need.items
        if items is None:
            width = sum(type.nbytes for type in types)
            items = max(_FEW, min(_ITEMS, _BYTES // max(1, width))) * self.room
        first = old.capacity if old is not None else len(before)
        capacity = first + items + _SPARE
        for cells in map(cells_of, before):
            self._trace.recording.frozen.update(cells)  # The rows hold what they hold now.
        if old is not None:
            rows = [rows._value() for rows in old.rows]
            count = LazyArray._new(old.count._value())
        else:
            rows = self._rows_before(before if uniform else [], types, len(before))
            count = LazyArray._new(const(len(before), np.dtype(np.int64)))
        reserved = [LazyArray._new(record(OPS["reserve"], x, shape=(capacity, *x.type.shape[1:]))) for x in rows]
        found.buffer = buffer = Buffer(
            need.loop, next_number(), reserved, count, wanted, capacity, len(before),
            uniform if old is None else old.uniform, need.pops or old is not None and old.pops,
            certain=old is None,
        )  # fmt: skip
        buffer.appended = first - len(before)
        self._buffers.append(buffer)

    def _rows_before(self, before: list[Any], types: list[Any], count: int) -> list[Any]:
        from lazyarr.numpy import stack, zeros

        if not before:
            return [zeros((max(1, count), *type.shape[1:]), type.dtype)._value() for type in types]
        columns = zip(*map(leaves, before), strict=True)
        return [
            stack([as_lazy(leaf, type.dtype) for leaf in column])._value()
            for column, type in zip(columns, types, strict=True)
        ]

    def fit(self, loop: LoopCapture) -> NeedsRoom | None:
        """What a loop needs for a list that gets more items than was thought."""
        for found in loop.lists.values():
            buffer = found.buffer
            known = buffer is not None and buffer.opener is loop and loop.room[id(found)].items is not None
            if known and buffer.first + buffer.appended + _SPARE > buffer.capacity:
                return NeedsRoom(loop, found, buffer.form, buffer.appended, buffer.pops)
        return None

    def close(self, loop: LoopCapture) -> None:
        """Where it is known how many items a loop has appended, they are rows of known number."""
        for found in loop.lists.values():
            buffer = found.buffer
            if buffer is None or buffer.opener is not loop:
                continue
            if not buffer.certain or buffer.pops:
                if not self._trace.depth:
                    buffer.used()  # (As of the user's line that the loop is on.)
                continue
            first, end = buffer.first, buffer.first + buffer.appended
            rows = tuple(LazyArray._new(rows[first:end]._value()) for rows in buffer.rows)
            found.buffer, found.trips = None, buffer.appended
            found.columns = (Column(rows, buffer.form),) if buffer.appended else ()

    # -- what the program does to a list -------------------------------------------------------------------

    def _opener(self, number: int) -> LoopCapture | None:
        """The outermost loop that something is older than."""
        return next((loop for loop in self.loops if loop.first > number), None)

    def _buffer(self, found: Growing, item: Any, pops: bool = False) -> Buffer | None:
        """The memory of a list of which the length changes; None where Python has the list.

        Raises
        ------
        NeedsRoom
            If it has to be made first.
        """
        buffer: Buffer | None = found.buffer
        if buffer is not None and buffer.opener in self.loops:
            if pops and not buffer.pops:
                raise self._need(buffer.opener, found, buffer.form, True)
            return buffer
        loop = self._opener(found.number if buffer is None else buffer.number)
        if loop is None:
            if buffer is None:
                return None
            full = buffer.first + buffer.appended >= buffer.capacity
            if pops or full or form(item) != buffer.form:
                found.settle()
                return None
            return buffer
        if buffer is not None:
            wanted = buffer.form
        elif pops:
            known = [form(x) for x in found.elements()]
            if not known:
                raise NotCaptured("the loop changes a list: it takes items out of an empty one")
            wanted = known[-1]
        else:
            soft.settle(item)
            wanted = form(item)
        raise self._need(loop, found, wanted, pops)

    def _need(self, loop: LoopCapture, found: Growing, wanted: Any, pops: bool) -> NeedsRoom:
        known = loop.room.get(id(found))
        pops = pops or known is not None and known.pops
        need = NeedsRoom(loop, found, wanted, self._trips(loop), pops)
        self._trace.thrown = need  # (The program may have an ``except`` clause for everything.)
        return need

    def _trips(self, opener: LoopCapture) -> int | None:
        """How many iterations there are of all loops from one on, at most."""
        trips = [loop.most_trips for loop in self.loops[self.loops.index(opener) :]]
        return math.prod(n for n in trips if n is not None) if None not in trips else None

    def append(self, found: Growing, item: Any) -> bool:
        """``found.append(item)``; False if Python does that."""
        buffer = self._buffer(found, item)
        if buffer is None:
            return False
        soft.settle(item)
        if form(item) != buffer.form:
            raise NotCaptured("the loop changes a list, which gets items of several types or shapes")
        trips: int | None = 1
        if buffer.opener in self.loops:
            inside = self.loops[self.loops.index(buffer.opener) :]
            trips = self._trips(buffer.opener)
            buffer.certain &= self.ways == buffer.opener.ways and all(loop.is_counted for loop in inside)
            self.loops[-1].rows.note(item)
        else:
            self._trace.recording.frozen.update(cells_of(item))
        length = buffer.length
        if trips is None or buffer.opener.room[id(found)].items is None:
            buffer.certain = False
            guard(computed(length < buffer.capacity).value, NO_ROOM)
            at = smaller(length, buffer.capacity - 1)
        else:
            at = number_of(buffer.count._value(), buffer.least, buffer.capacity - 1)
        buffer.appended += trips or 0
        for rows, leaf in zip(buffer.rows, leaves(item), strict=True):
            rows[at] = leaf
        buffer.count[...] = length + 1
        return True

    def pop(self, found: Growing) -> Any:
        """``found.pop()``; `UNKNOWN` if Python does that."""
        buffer = self._buffer(found, None, pops=True)
        if buffer is None:
            return UNKNOWN
        item = self.item(found, -1)
        buffer.certain = False
        buffer.count[...] = buffer.length - 1
        return item

    def item(self, found: Growing, key: Any) -> Any:
        """``found[key]``; `UNKNOWN` if Python does that."""
        buffer = found.buffer
        if buffer is None:
            return UNKNOWN
        if isinstance(key, WeakScalar) and key.python_type is int:
            key = key.__index__()  # type: ignore[attr-defined]  # the program is compiled for its value
        if type(key) is not int and (type(key) is not ComputedScalar or key.kind is not int):
            found.settle()
            return UNKNOWN
        if type(key) is int and 0 <= key < buffer.least:
            return found.elements()[key]
        if not buffer.uniform:
            raise NotCaptured("a list is read that holds items of several types")
        low, high = (key.low, key.high) if isinstance(key, ComputedScalar) else (key, key)
        if low < 0 <= high:
            raise NotCaptured("an index of a list that may be negative or not")
        length = buffer.length
        inside = key < length if low >= 0 else key + length >= 0
        if inside is not True:
            guard(computed(inside).value, "an index is in range")
        at = smaller(key, buffer.capacity - 1) if low >= 0 else _not_below_zero(key + length)
        values = iter([rows[at]._value() for rows in buffer.rows])
        item = made_of(buffer.form, values)
        # It is an object that the list holds.
        self._trace.recording.frozen.update(cells_of(item))
        return item

    def stacked(self, found: Growing) -> LazyArray | None:
        """``np.array(found)``, where that is its rows."""
        from lazyarr.numpy import stack

        buffer = found.buffer
        if buffer is None or not buffer.uniform:
            return None
        used = buffer.used()
        kinds = {rows.dtype for rows in used}
        if len(used) > 1 and (len(kinds) > 1 or any(rows.ndim > 1 for rows in used)):
            return None
        if buffer.least == 0:
            # (Of no items, NumPy makes another array.)
            guard(computed(buffer.length > 0).value, "a list has items")
        if buffer.form[0] in (tuple, list):
            if any(inner[0] not in ("number", "scalar") for inner in buffer.form[1]):
                return None
            together: LazyArray = stack(used, axis=1)
            return together
        return LazyArray._new(used[0]._value())


def _not_below_zero(index: Any) -> Any:
    """An index that a guard protects, within the memory in any case."""
    from lazyarr.computed_arithmetic import larger

    return larger(index, 0)
