"""Arrays that change names in a loop's body while it writes to them (``u, v = v, u``)."""

from __future__ import annotations

from typing import Any

from lazyarr.array import Cell, LazyArray
from lazyarr.ir.graph import Check, depth_first
from lazyarr.ir.node import Value
from lazyarr.ops.elementwise import SELECT
from lazyarr.runtime import FROZEN, NotCaptured, Recording, record
from lazyarr.tracing.capture.counted import Counted
from lazyarr.tracing.capture.slots import Slot
from lazyarr.tracing.capture.state import Snapshot, State, cells_of, unnumbered

#: Why a loop is not captured whose first iteration changes an array that the others do not.
THEN_BOUND = "an array is changed in place, then its name is bound to another array"
#: The same of one whose first iteration makes an attribute or a key.
THEN_THERE = "the loop makes an attribute, or a key of a dict"


def exchange(
    now: Recording, snapshot: Snapshot, slots: list[Slot], after: State, places: dict[Cell, Value],
    contents: dict[Cell, Value], checks: list[Check], private: set[int],
) -> dict[int, int] | None:  # fmt: skip
    """How arrays that are written in place change names in the body (``u, v = v, u``): slot -> slot.

    None where arrays that are bound anew are only read: their values are all there is to them.
    """
    arrays = {slot.at: slot for slot in slots if slot.form[0] == "array" and slot.at not in private}
    if any(s.form[0] == "ragged" and s.at not in private and _written(s.entry, s.places[0]) for s in slots):
        raise NotCaptured(THEN_BOUND)
    nested = [s for s in slots if s.form[0] in (tuple, list) and unnumbered(s.form)]
    written = {at for at, s in arrays.items() if s.entry._cell.value != s.places[0]}
    originals = {at: snapshot.variables[at] for at in arrays}
    cells = {at: x._cell for at, x in originals.items() if isinstance(x, LazyArray)}
    # (Those of other lengths, or in tuples, are bound anew in each iteration, too.)
    bound = [s.at for s in slots if s.at not in private and unnumbered(s.form)]
    if any(cell in contents for at in bound for cell in cells_of(snapshot.variables[at])):
        raise NotCaptured("an array is bound anew in the loop and changed under another name")
    if any(_written(s.entry) for s in nested):
        raise NotCaptured("an array in a tuple is changed in place and bound anew")
    for slot in slots:
        x = after[slot.at]
        if isinstance(x, LazyArray) and not x._scalar and x._cell in contents:
            raise NotCaptured("a variable becomes a view of an array that the loop changes")
    if not written:
        return None
    if any(cell in now.frozen for cell in cells.values()):
        raise NotCaptured(FROZEN)
    owner = {s.entry._cell: at for at, s in arrays.items()}
    moves = {}
    for at in arrays:
        x = after[at]
        whole = isinstance(x, LazyArray) and x._cell in owner and x._parent is None
        if not whole or not isinstance(originals[at], LazyArray) or originals[at]._parent is not None:
            raise NotCaptured(THEN_BOUND)
        moves[at] = owner[x._cell]
    if len(set(moves.values())) < len(moves) or len({id(c) for c in cells.values()}) < len(moves):
        raise NotCaptured("two names mean one array that the loop changes")
    roots = [v for s in slots for v in s.results] + [*contents.values(), *(c.ok for c in checks)]
    reached = set(depth_first(roots))
    if any(places[c].node in reached for c in cells.values() if c in places):
        raise NotCaptured("an array that changes its name in the loop is used under another name")
    return moves


def disown(now: Recording, owned: dict[Cell, tuple[Cell, Value]], entered: list[Cell]) -> None:
    """Of arrays that somebody else may see: what branches took for a variable's own is not to be changed.

    Parameters
    ----------
    now : Recording
    owned : dict
        `Trace.owned`.
    entered : list of Cell
        Such arrays, as they entered the body.

    Raises
    ------
    NotCaptured
        If it has been.
    """
    for found, (source, value) in owned.items():  # in the order in which they were met
        if source in entered:
            if found.value != value:
                raise NotCaptured(THEN_BOUND)
            now.frozen.update((found, source))
            entered = [*entered, found]


def exchanged(
    now: Recording, source: Counted | None, snapshot: Snapshot, moves: dict[int, int], final: list[Any],
    node: tuple[Value, ...], slot_at: dict[int, list[int]], parity: int,
) -> None:  # fmt: skip
    """Give the arrays that changed names their contents, and the names their arrays."""
    originals = {at: snapshot.variables[at] for at in moves}
    results = {at: node[slot_at[at][0]] if at in slot_at else originals[at]._value() for at in moves}
    if parity < 0:
        assert source is not None and source.trips is not None
        for at in moves:
            target = at
            for _ in range(source.trips % _order(moves, at)):
                target = moves[target]
            originals[target]._cell.value = results[at]
            final[at] = originals[target]
        return
    if any(moves[moves[at]] != at for at in moves):
        raise NotCaptured("more than two arrays change names in a loop of unknown length")
    odd = node[parity]
    for at in moves:
        if moves[at] != at:
            originals[at]._cell.value = record(SELECT, odd, results[moves[at]], results[at])
            # Which array the name means is known at run time only: neither may be changed from here on.
            now.frozen.update((originals[at]._cell, final[at]._cell))
        else:
            originals[at]._cell.value = results[at]
            final[at] = originals[at]


def _order(moves: dict[int, int], at: int) -> int:
    """After how many iterations a name means the array again that it began with."""
    count, where = 1, moves[at]
    while where != at:
        where = moves[where]
        count += 1
    return count


def _written(x: Any, place: Value | None = None) -> bool:
    """Whether arrays that entered a body as placeholders were changed in place."""
    if type(x) in (tuple, list):
        return any(_written(item) for item in x)
    if not isinstance(x, LazyArray) or x._scalar:
        return False
    value = x._cell.value.node
    return value.op.name != "leaf" if place is None else value.op.name != "window" or value.operands[0] != place
