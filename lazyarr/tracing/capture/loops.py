"""A Python loop as one node of the program.

The body is traced once, on placeholders for everything that it might change: the contents of all storage cells that
exist, and the variables it assigns. What it has changed afterwards is the loop's state. Where a variable leaves the
body as something else than it entered (an int that becomes a float, an array that is bound anew), the body is traced
again with that in its place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lazyarr.array import Cell, LazyArray
from lazyarr.computed import LOWEST, Atom, ComputedScalar, computed, convert, is_number, number_of
from lazyarr.growing import Growing, next_number
from lazyarr.ir.graph import LOOP_HOLDS, Check, Line, depth_first
from lazyarr.ir.node import Value
from lazyarr.ir.op import OPS
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ops.create import const
from lazyarr.ops.elementwise import ELEMENTWISE
from lazyarr.runtime import FROZEN, NotCaptured, guard, record, record_all
from lazyarr.soft import Soft, settle_inside
from lazyarr.soft import joined as joined_kinds
from lazyarr.soft import of as soft_of
from lazyarr.tracing.capture.bound import carried, entering, require_value
from lazyarr.tracing.capture.buffers import NeedsRoom
from lazyarr.tracing.capture.containers import Containers
from lazyarr.tracing.capture.counted import Counted
from lazyarr.tracing.capture.entered import begins_alike, require_alike
from lazyarr.tracing.capture.exchange import THEN_BOUND, THEN_THERE, disown, exchange, exchanged
from lazyarr.tracing.capture.forms import ANOTHER_NUMBER, TEST_CHANGES, all_hold, converted, is_exact, joined, zeros_of
from lazyarr.tracing.capture.places import Widened, places_of
from lazyarr.tracing.capture.regions import Region, close_together
from lazyarr.tracing.capture.rows import Rows
from lazyarr.tracing.capture.slots import RUNS_ONCE, Plan, Slot
from lazyarr.tracing.capture.state import (
    Snapshot,
    State,
    cells_of,
    form,
    held_in,
    holds,
    is_placeable,
    made_of,
    placeholder,
    ragged,
    ragged_values,
    same_variable,
    types_of,
    unnumbered,
    values_of,
)
from lazyarr.tracing.control.python import Info, Undefined

if TYPE_CHECKING:
    from lazyarr.tracing.trace import Trace

#: Why a ``while`` is not captured that does not run.
NEVER_TRUE = "the condition of the loop is never true"
_I64, _BOOL = ArrayType(DTYPES["i64"]), ArrayType(DTYPES["bool"])
#: How often a body is traced before its variables have to have found their types.
_MOST_TRACES = 8


class LoopCapture:
    """One loop while it is captured.

    Parameters
    ----------
    trace : Trace
    info : Info
    get, set : callable
        The loop's variables.
    body : callable
        Runs one iteration: ``body(index)``, with None for a ``while``.
    source : Counted or None
        What a ``for`` runs over.
    test : callable or None
        The condition of a ``while``, or what says that a ``for`` goes on.
    lists : tuple of list
        Lists that grow in each iteration by the same number of items.
    """

    def __init__(
        self, trace: Trace, info: Info, get: Callable[[], State], set: Callable[[State], None],
        body: Callable[[Any], None], source: Counted | None, test: Callable[[], Any] | None,
        lists: tuple[list[Any], ...] = (),
    ):  # fmt: skip
        self.trace, self.info = trace, info
        self._state = Widened(get, set, len(info.names))
        self.get, self.set = self._state.get, self._state.set
        self.body, self.source, self.test = body, source, test
        self.now = trace.recording
        self.plan = Plan()
        #: The lines of what the body checks.
        self.lines: dict[Check, Line] = {}
        self.rows = Rows(trace, lists, source)
        #: Lists that get memory before the loop, and why.
        self.lists: dict[int, Growing] = {}
        self.room: dict[int, NeedsRoom] = {}
        self._need: NeedsRoom | None = None

    def run(self) -> None:
        """Record the loop.

        Raises
        ------
        NotCaptured
            If it cannot become a node.
        """
        if self.info.outside:
            raise NotCaptured("the loop assigns to a global or an enclosing variable")
        lists = self.trace.lists
        self.first, self.ways = next_number(), lists.ways
        snapshot = Snapshot(self.now, self.get, self.set)
        back, marks = self.trace.marks(), lists.marks()
        while True:
            need = None
            lists.loops.append(self)
            try:
                if self._attempt(snapshot):
                    break
                need, self._need = self._need, None
            except NeedsRoom as error:
                if error.loop is not self:
                    raise
                need = error
            finally:
                del lists.loops[lists.loops.index(self) :]
            if need is not None:
                back()
                self._containers.restore()
            snapshot.restore()
            marks()
            if need is not None:
                self.lists[id(need.found)], self.room[id(need.found)] = need.found, need
                lists.open(need)
            if need is not None or self.rows.make_room() or len(snapshot.variables) != len(self.info.names):
                snapshot, marks = Snapshot(self.now, self.get, self.set), lists.marks()
            self.plan.traces += 1
            if self.plan.traces > _MOST_TRACES:
                raise NotCaptured("the types of variables differ from iteration to iteration")
        lists.close(self)

    @property
    def most_trips(self) -> int | None:
        """How many iterations there are at most, if that is known."""
        return None if self.source is None else self.source.trips

    @property
    def is_counted(self) -> bool:
        """Whether there are just as many."""
        return self.test is None and self.most_trips is not None

    # -- one trace of the body -----------------------------------------------------------------------------

    def _attempt(self, snapshot: Snapshot) -> bool:
        """Trace the body; False if the plan has changed and it has to be traced again."""
        slots = self._slots(snapshot)
        self._containers = containers = Containers(self.trace.shadowed, self.trace.looks)
        written = self.trace.environment.written()
        self.trace.depth += 1
        places = {}
        for cell, value in snapshot.cells.items():
            if is_placeable(cell) or cell in self.plan.written:
                places[cell] = cell.value = placeholder(value.type)
                # Of a number, which nothing changes, what is known stays true.
                if value in self.trace.soft:
                    self.trace.soft[cell.value] = self.trace.soft[value]
                if value in self.trace.unbound:
                    self.trace.unbound[cell.value] = self.trace.unbound[value]
        entry = list(snapshot.variables)
        for slot in slots:
            entry[slot.at] = slot.entry
        given_lists = [(self.info.names[slot.at], slot.entry, held_in(slot.entry)) for slot in slots]
        self.set(tuple(entry))
        containers.note([slot.entry for slot in slots])
        given = {cell: cell.value for slot in slots for cell in cells_of(slot.entry)}
        self.trace.callers.update(given)  # (in the first iteration)
        before = len(self.now.checks)
        index = placeholder(_I64)
        go_on: Any = None
        if self.source is None:
            assert self.test is not None
            go_on = self.trace.control.truth(self.test())
            if not all(map(same_variable, self.get(), entry)) or any(c.value != v for c, v in places.items()):
                raise NotCaptured(TEST_CHANGES)
            if go_on is False:
                raise NotCaptured(NEVER_TRUE)
            tested = len(self.now.checks)
            with self.rows.collected(None):
                self.body(None)
        else:
            tested = before
            with self.rows.collected(self._number(index)):
                self.body(self.source.item(self._number(index)))
            if self.test is not None:
                go_on = self.trace.control.truth(self.test())
                if go_on is False:
                    raise NotCaptured("the loop ends in its first iteration")
        after = self.get()
        for name, x, inside in given_lists:
            if not holds(x, inside):  # (Who else has the list would see that.)
                raise NotCaptured(f"the list {name!r} is changed in place")
        settle_inside(after)
        self.trace.depth -= 1
        if isinstance(self.trace.thrown, NeedsRoom):
            raise self.trace.thrown
        self._need = self.trace.lists.fit(self)
        if self._need is not None:
            return False
        if self.trace.environment.written() != written:
            raise NotCaptured("the loop changes a global or an enclosing variable")
        containers.require_looks()
        if self._has_new_places(containers) or snapshot.take_in():
            return False
        written_constants = [c for c, v in snapshot.cells.items() if c not in places and c.value != v]
        if written_constants:
            self.plan.written.update(written_constants)
            return False
        self.lines = dict(self.now.checks[before:])
        checks = [c for c, _ in self.now.checks[before:]]
        test_checks, checks = checks[: tested - before], checks[tested - before :]
        outs = self._results(snapshot, slots, entry, after)
        if outs is None or not self.rows.fit:
            return False
        changed = {cell: place for cell, place in places.items() if cell.value != place}
        same = {place: snapshot.cells[cell] for cell, place in places.items() if cell not in changed}
        contents = {cell: cell.value for cell in changed}
        roots = [v for s in slots for v in s.results] + [*contents.values(), *(c.ok for c in checks)]
        reached = set(depth_first(roots))
        private = {
            at for at in self._private(snapshot, slots, after, containers)
            if snapshot.variables[at]._cell not in places or places[snapshot.variables[at]._cell].node not in reached
        }  # fmt: skip
        for slot in slots:
            if slot.at not in private and any(cell in self.trace.relied for cell in cells_of(slot.entry)):
                raise NotCaptured(THEN_BOUND)  # by an inner loop that takes it for its own
            if slot.at not in private:
                disown(self.now, self.trace.owned, cells_of(slot.entry))
        self.trace.relied.update(snapshot.variables[at]._cell for at in private)
        moves = exchange(self.now, snapshot, slots, after, places, contents, checks, private)
        # Where names change arrays without an array being changed, an array may be one of those from before.
        entered = {cell for slot in slots for cell in cells_of(slot.entry)} if moves is None else set()
        held: list[Slot] = []
        # Variables that are one array after an iteration would be two.
        met = Counter(cell for slot in (*slots, *outs) for cell in {*cells_of(after[slot.at])})
        for slot in (*slots, *outs):
            cells = cells_of(after[slot.at])
            slot.outer = [cell for cell in cells if cell in snapshot.cells]
            slot.frozen = bool(slot.outer) or any(
                cell in self.now.frozen or cell in entered or met[cell] > 1 for cell in cells
            )
            if self.rows.hold(cells):
                held.append(slot)
                slot.frozen = True
        for slot in slots:
            if slot.frozen and any(cell.value != given[cell] for cell in cells_of(slot.entry)):
                raise NotCaptured(FROZEN)
        self.rows.require_own(snapshot.cells, given, held)
        snapshot.restore()
        self._record(snapshot, slots, outs, changed, contents, same, index, go_on, test_checks, checks, moves)
        self.rows.finish(shared=bool(held))
        return True

    def _has_new_places(self, containers: Containers) -> bool:
        """Whether the body has bound places of containers that are no variables of the loop yet: now they are."""
        places = places_of(containers.changed(), "the loop changes a list, a dict, an object or a global variable")
        new = [place for place in places if not self._state.knows(place)]
        if not new:
            return False
        containers.restore()
        if any(isinstance(place.get(), Undefined) for place in new):
            raise NotCaptured(THEN_THERE)  # Whoever asks whether there is one, learns something else in the first.
        self._state.places += new
        info, more = self.info, (True,) * len(new)
        names = (*info.names, *(place.name for place in new))
        self.info = replace(info, names=names, live_in=info.live_in + more, live_out=info.live_out + more)
        return True

    def _number(self, place: Value) -> Any:
        """An index that is not known."""
        assert self.source is not None
        start, stop, step = (computed(x) for x in (self.source.start, self.source.stop, self.source.step))
        if step.low > 0:
            return number_of(place, start.low, stop.high - 1, start, computed(stop - 1))
        if step.high < 0:
            return number_of(place, stop.low + 1, start.high, computed(stop + 1), start)
        return number_of(place)

    def _slots(self, snapshot: Snapshot) -> list[Slot]:
        """The variables that are carried as values."""
        slots = []
        for at, x in enumerate(snapshot.variables):
            if not self.info.live_in[at]:
                continue
            own = None if isinstance(x, Undefined) else form(x)
            wanted = self.plan.forms.get(at, own)
            if wanted is None or (unnumbered(wanted) and at not in self.plan.forms):
                continue  # An array keeps its storage, whose content is carried.
            inits = converted(x, wanted)
            places = [placeholder(v.type) for v in inits]
            entry = made_of(wanted, iter(places), x)
            if wanted == ("number", int) and self.plan.least.get(at) != LOWEST:
                low = self.plan.least.get(at, convert(x, int).low if is_number(x) else LOWEST)
                entry = ComputedScalar(places[0], int, {Atom(low=low, value=places[0]): 1}, 0)
            soft = None
            bound = entering(self.trace.unbound, x, inits, places, self.info.names[at], at in self.plan.lost)
            if wanted[0] in ("scalar", "number"):
                kinds = self.plan.soft.get(at, frozenset()) | joined_kinds([soft_of(x)])
                if own is not None and own != wanted:
                    kinds |= {own[1]}
                if kinds:
                    soft = self.trace.soft[places[0]] = Soft(placeholder(_BOOL), kinds)
            exact = not isinstance(x, Undefined)
            slots.append(Slot(at, wanted, inits, places, entry, exact=exact, soft=soft, bound=bound))
        return slots

    def _results(self, snapshot: Snapshot, slots: list[Slot], entry: list[Any], after: State) -> list[Slot] | None:
        """Note what variables are after an iteration; gives those wanted after the loop only, None to trace again."""
        carried = {slot.at: slot for slot in slots}
        outs: list[Slot] = []
        self._require_own_lists(after, [entry[at] for at in range(len(after))])
        again = False
        for at, (name, x) in enumerate(zip(self.info.names, after, strict=True)):
            slot = carried.get(at)
            if slot is not None:
                if same_variable(x, slot.entry):
                    slot.results = slot.places
                    continue
                if isinstance(x, Undefined):
                    raise NotCaptured(f"the variable {name!r} is deleted in the loop")
                found = form(x)
                if found is None:
                    raise NotCaptured(f"the variable {name!r} becomes a {type(x).__name__} in the loop")
                if slot.form[0] == "ragged" and ragged(slot.form, found) == slot.form:
                    slot.results = ragged_values(x._value(), slot.form)
                    continue
                if found != slot.form:
                    self.plan.forms[at] = joined(name, slot.form, found)
                    if self.plan.forms[at] == slot.form:
                        raise NotCaptured(f"the variable {name!r} changes its type in the loop")
                    if slot.form[0] not in ("array", "ragged"):
                        self._require_casts(name, slot, self.plan.forms[at], after)
                    again = True
                    continue
                slot.results = values_of(x)
                if slot.bound is None and any(v in self.trace.unbound for v in slot.results):
                    self.plan.lost.add(at)
                    again = True
                result = self.trace.soft.get(slot.results[0])
                if found[0] in ("number", "scalar") and result is not None:
                    kinds = joined_kinds([slot.soft, result])
                    if slot.soft is None or kinds != slot.soft.kinds:
                        self.plan.soft[at] = kinds
                        again = True
                if found == ("number", int) and self.plan.least.get(at) != LOWEST:
                    low = next(iter(slot.entry.terms)).low
                    if computed(x).low < low:
                        # What begins above 0 often stays at or above it: the half of a positive number.
                        self.plan.least[at] = 0 if low > 0 else LOWEST
                        again = True
            elif same_variable(x, entry[at]) or not (self.info.live_in[at] or self.info.live_out[at]):
                continue
            else:
                found = None if isinstance(x, Undefined) else form(x)
                if found is None:
                    raise NotCaptured(f"the variable {name!r} becomes a {type(x).__name__} in the loop")
                if self.info.live_in[at]:
                    previous = snapshot.variables[at]
                    known = None if isinstance(previous, Undefined) else form(previous)
                    self.plan.forms[at] = joined(name, known, found) if known is not None else found
                    again = True
                else:
                    require_value(self.trace.unbound, name, x)
                    outs.append(Slot(at, found, [], [], None, values_of(x), exact=False))
        return None if again else outs

    def _require_own_lists(self, after: State, entry: list[Any]) -> None:
        """Require of lists that variables are bound to that the iteration has made them, each for one variable.

        Raises
        ------
        NotCaptured
            If one is: what is appended to it later, another list would get.
        """
        met: set[int] = set()
        for name, x, before in zip(self.info.names, after, entry, strict=True):
            if isinstance(x, list) and x is not before and not same_variable(x, before):
                if not isinstance(x, Growing) or x.number < self.first or id(x) in met:
                    raise NotCaptured(f"the variable {name!r} becomes another list")
                met.add(id(x))

    def _require_casts(self, name: str, slot: Slot, wanted: Any, after: State) -> None:
        """A number may enter the first iteration already promoted only if the body looks at it as promoted.

        Raises
        ------
        NotCaptured
            If it is used as what it was.
        """
        [place], [type] = slot.places, types_of(wanted)
        roots = [v for x in after if form(x) is not None for v in values_of(x)]
        roots += [cell.value for cell in list(self.now.cells or ())] + [c.ok for c, _ in self.now.checks]
        for node in depth_first(roots):
            if place not in node.operands:
                continue
            if node.op.name == "cast" and node.types[0] == type:
                continue
            if node.op.name in (_RING if place.type == type else _COMPARED if is_exact(slot.inits[0], type) else ()):
                continue
            if any(True for _ in node.regions):
                continue  # Its body was traced by itself, and asked the same.
            raise NotCaptured(f"the variable {name!r} {ANOTHER_NUMBER}")

    def _private(self, snapshot: Snapshot, slots: list[Slot], after: State, containers: Containers) -> set[int]:
        """Variables whose array before the loop nobody else can see, and which a body binds to one of its own.

        What happens to such an array in place is part of what happens to the variable.
        """
        given = {lazy._cell for _, lazy, _ in self.trace.bases}
        found = set()
        for slot in slots:
            x, new = snapshot.variables[slot.at], after[slot.at]
            if not isinstance(x, LazyArray) or not isinstance(new, LazyArray) or x._cell in given:
                continue
            fresh = new._cell not in snapshot.cells and all(
                not isinstance(y, LazyArray) or y._cell is not new._cell for at, y in enumerate(after) if at != slot.at
            )
            entries = [s.entry._cell for s in slots if isinstance(s.entry, LazyArray)]
            if fresh and new._cell not in entries and containers.is_private(x):
                found.add(slot.at)
        return found

    # -- the node ------------------------------------------------------------------------------------------

    def _record(
        self, snapshot: Snapshot, slots: list[Slot], outs: list[Slot], changed: dict[Cell, Value],
        contents: dict[Cell, Value], same: dict[Value, Value], index: Value, go_on: Any,
        test_checks: list[Check], checks: list[Check], moves: dict[int, int] | None,
    ) -> None:  # fmt: skip
        inits: list[Value] = []
        places: list[Value] = []
        results: list[Value] = []

        def carry(init: Value, place: Value | None, result: Value) -> int:
            inits.append(init)
            places.append(placeholder(init.type) if place is None else place)
            results.append(result)
            return len(inits) - 1

        cell_at = {cell: carry(snapshot.cells[cell], place, contents[cell]) for cell, place in changed.items()}
        slot_at: dict[int, list[int]] = {}
        for slot in slots:
            if slot.results is slot.places:
                same.update(zip(slot.places, slot.inits, strict=True))
            else:
                slot_at[slot.at] = [carry(*x) for x in zip(slot.inits, slot.places, slot.results, strict=True)]
        soft_at = {}
        known = [(s, s.soft.certain) for s in slots if s.soft is not None]
        certain = {at: self._certain(s.inits[0]) if begins_alike(snapshot, s) else const(False) for s, at in known}
        require_alike(self.info.names, slots, certain, test_checks, checks)
        for slot in slots:
            if slot.soft is None:
                continue
            was = certain[slot.soft.certain]
            if slot.at in slot_at:
                at = carry(was, slot.soft.certain, self._certain(slot.results[0]))
                soft_at[slot.at] = at, slot.soft.kinds
            else:
                same[slot.soft.certain] = was
        roots = [*results, *(v for s in outs for v in s.results), *(c.ok for c in (*test_checks, *checks))]
        bound_at = carried(self.trace.unbound, slots, roots, same, carry)
        uncertain = any(not slot.exact for slot in slots if slot.at in slot_at and self.info.live_out[slot.at])
        for slot in outs:
            previous = snapshot.variables[slot.at]
            fits = form(previous) == slot.form
            slot.inits = values_of(previous) if fits else [zeros_of(v.type) for v in slot.results]
            uncertain = uncertain or not fits
            slot_at[slot.at] = [carry(i, None, r) for i, r in zip(slot.inits, slot.results, strict=True)]
            if slot.form[0] in ("scalar", "number"):
                ends = [slot.inits[0], slot.results[0]]
                kinds = joined_kinds(map(self.trace.soft.get, ends))
                if kinds:
                    before, after = map(self._certain, ends)
                    soft_at[slot.at] = carry(before, None, after), kinds
        uncertain = uncertain or any(
            form(snapshot.variables[s.at]) != s.form and s.soft is None and s.form[0] != "ragged"
            for s in slots if s.at in slot_at and self.info.live_out[s.at]
        )  # fmt: skip
        first = len(self.info.names) - len(self._state.places)
        # Without an iteration, a container holds the array that it held.
        uncertain = uncertain or any(s.at >= first and unnumbered(s.form) for s in slots if s.at in slot_at)
        may_be_none = self.source is None or self.source.trips is None
        # What is around a loop may change an array that it gives: known is whose memory that is, if it has run.
        # (After something that is not to happen twice, it would be too late to find that out where it is changed.)
        late = bool(self.trace.reasons) and not self.trace.may_begin_again
        if (self.trace.is_loop or late) and may_be_none and not self.trace.depth:
            uncertain = uncertain or any(unnumbered(s.form) for s in (*slots, *outs) if s.at in slot_at)
        until = parity = ran = -1
        dynamic = self.source is None or self.source.trips is None or isinstance(go_on, ComputedScalar)
        if self.source is not None and isinstance(go_on, ComputedScalar):
            until = carry(const(False), None, record(ELEMENTWISE["logical_not"], go_on.value))
        if moves is not None and dynamic:
            place = placeholder(_BOOL)
            parity = carry(const(False), place, record(ELEMENTWISE["logical_not"], place))
        if uncertain and self.source is None:
            ran = carry(const(False), None, const(True))
        checks = self._checked_inside(checks, Region([index, *places], same))
        held = -1
        if checks or test_checks:
            # A loop whose results nobody reads still has to run for what it checks.
            place = placeholder(_BOOL)
            held = carry(const(True), place, all_hold([place, *(c.ok for c in checks)]))
        node = self._node(inits, places, results, same, index, go_on, test_checks, checks, until)
        if held >= 0:
            guard(node[held], LOOP_HOLDS)
        if uncertain and self.source is not None:
            self._guard_some_iteration()
        if ran >= 0:
            guard(node[ran], RUNS_ONCE)
        for cell, at in cell_at.items():
            cell.value = node[at]
        final = list(snapshot.variables)
        for slot in (*slots, *outs):
            if slot.at in slot_at:
                final[slot.at] = made_of(slot.form, iter([node[at] for at in slot_at[slot.at]]), slot.entry)
        self._freeze(snapshot, [*slots, *outs], slot_at, final, may_be_none and not uncertain)
        for at, (flag, kinds) in soft_at.items():
            self.trace.soft[values_of(final[at])[0]] = Soft(node[flag], kinds)
        self.trace.unbound.update({v: node[flag] for at, flag in bound_at.items() for v in values_of(final[at])})
        if moves is not None:
            exchanged(self.now, self.source, snapshot, moves, final, node, slot_at, parity)
        self.set(tuple(final))

    def _certain(self, value: Value) -> Value:
        """Whether a number has the type that the loop carries it as."""
        found = self.trace.soft.get(value)
        return const(True) if found is None else found.certain

    def _checked_inside(self, checks: list[Check], body: Region) -> list[Check]:
        """The checks that iterations make: of a loop that runs for sure, what is always the same is checked before it.

        What they protect may then leave the loop as well.
        """
        if self.source is None or not self.source.trips:
            return checks
        inside = []
        for check in checks:
            ok = body.outer(check.ok)
            if ok is None:
                inside.append(check)
            elif ok != const(True):
                self.now.checks.append((Check(ok, check.exception, check.message), self.lines[check]))
        return inside

    def _freeze(
        self, snapshot: Snapshot, slots: list[Slot], slot_at: dict[int, list[int]], final: list[Any], may_be_none: bool
    ) -> None:
        """Where it is known at run time only whose memory a variable means, nothing of it may be changed afterwards."""
        for slot in slots:
            if slot.at in slot_at and unnumbered(slot.form) and (may_be_none or slot.frozen):
                self.now.frozen.update(cells_of(final[slot.at]))
                self.now.frozen.update(cells_of(snapshot.variables[slot.at]))
                self.now.frozen.update(slot.outer)

    def _node(
        self, inits: list[Value], places: list[Value], results: list[Value], same: dict[Value, Value], index: Value,
        go_on: Any, test_checks: list[Check], checks: list[Check], until: int,
    ) -> tuple[Value, ...]:  # fmt: skip
        if self.source is None:
            condition = go_on.value if isinstance(go_on, ComputedScalar) else const(True)
            (cond, body), operands = close_together(
                [([condition], test_checks, None), (results, checks, None)], places, same
            )
            return record_all(OPS["while"], *inits, *operands, cond=cond, body=body, carried=len(inits))
        [body], operands = close_together([(results, checks, None)], [index, *places], same)
        bounds = [computed(x).value for x in (self.source.start, self.source.stop, self.source.step)]
        return record_all(OPS["loop"], *bounds, *inits, *operands, body=body, carried=len(inits), until=until)

    def _guard_some_iteration(self) -> None:
        assert self.source is not None
        if self.source.trips is None:
            upwards = self.source.step > 0
            some = self.source.start < self.source.stop if upwards else self.source.start > self.source.stop
            if some is not True:
                guard(computed(some).value, RUNS_ONCE)


_COMPARED = {"less", "less_equal", "greater", "greater_equal", "equal", "not_equal"}
#: Operations of which a NumPy integer gives what Python's does while it fits.
_RING = _COMPARED | {
    "add", "subtract", "multiply", "maximum", "minimum", "loop", "while", "cond", "select", "window", "put_window",
}  # fmt: skip
