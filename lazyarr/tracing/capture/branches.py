"""An ``if`` on data as one node of the program, or as a selection where both ways cost next to nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from lazyarr.array import Cell, LazyArray
from lazyarr.computed import ComputedScalar, computed, is_number, kind_of, number_of
from lazyarr.growing import Growing, next_number
from lazyarr.ir.graph import BRANCH_HOLDS, Check
from lazyarr.ir.node import Node, Value
from lazyarr.ir.op import OPS
from lazyarr.ops.create import const
from lazyarr.ops.elementwise import ELEMENTWISE, SELECT
from lazyarr.runtime import NotCaptured, guard, record, record_all
from lazyarr.soft import HOLDING, Soft, joined, settle_inside
from lazyarr.tracing.capture.containers import Containers
from lazyarr.tracing.capture.forms import all_hold, zeros_of
from lazyarr.tracing.capture.places import Widened, places_of
from lazyarr.tracing.capture.regions import Region, close_together
from lazyarr.tracing.capture.state import (
    Snapshot,
    State,
    cells_inside,
    cells_of,
    form,
    made_of,
    ragged_pair,
    ragged_values,
    same_variable,
    types_of,
    values_of,
)
from lazyarr.tracing.control.python import Undefined

if TYPE_CHECKING:
    from lazyarr.tracing.trace import Trace

_TRUE = const(True)
#: Scalar operations of both ways together, up to which both are done and one is selected.
_FEW = 12


class BranchCapture:
    """One ``if`` while it is captured.

    Parameters
    ----------
    trace : Trace
    condition : ComputedScalar
        A bool.
    get, set : callable
        The variables that the ways assign.
    names : sequence of str
        Theirs.
    wanted : sequence of bool
        Which of them are read afterwards.
    is_expression : bool
        Whether it is a conditional expression.
    raises : tuple of bool
        Which of its ways end in a ``raise``, and need not be recorded.
    """

    def __init__(
        self, trace: Trace, condition: ComputedScalar, get: Callable[[], State], set: Callable[[State], None],
        names: Any, wanted: Any, is_expression: bool = False, raises: tuple[bool, bool] = (False, False),
    ):  # fmt: skip
        self.trace, self.condition, self.is_expression = trace, condition, is_expression
        self._state = Widened(get, set, len(names))
        self.get, self.set, self.names, self.wanted = self._state.get, self._state.set, tuple(names), tuple(wanted)
        # (Where both do, one of them is to say so.)
        self.raises = raises if raises != (True, True) else (False, False)
        self.now = trace.recording
        self._before: Containers | None = None

    def run(self, then: Callable[[], None], orelse: Callable[[], None]) -> None:
        """Record both ways, and what is true after whichever runs.

        Raises
        ------
        NotCaptured
            If it cannot become a node.
        """
        for raises, is_first, other in zip(self.raises, (True, False), (orelse, then), strict=True):
            if raises:
                # Not even traced: what it does before it raises must not happen. Who takes it meets that in Python.
                holds = self.condition.value
                guard(record(ELEMENTWISE["logical_not"], holds) if is_first else holds, "what raises is not reached")
                other()
                return
        snapshot = Snapshot(self.now, self.get, self.set)
        self._first_list = next_number()
        ways = [self._way(snapshot, then), self._way(snapshot, orelse)]
        self._widen(snapshot, ways)
        cells = [c for c in snapshot.cells if any(c in way.contents for way in ways)]
        pairs = [tuple(way.contents.get(c, snapshot.cells[c]) for way in ways) for c in cells]
        final = list(snapshot.variables)
        merged: dict[int, tuple[Any, int]] = {}
        soft: dict[int, tuple[int, frozenset[type]]] = {}
        unbound: dict[int, int] = {}
        for at in range(len(final)):
            a, b = (way.variables[at] for way in ways)
            if same_variable(a, b):
                final[at] = a
            elif self.wanted[at]:
                wanted = self._form(self.names[at], a, b)
                if not all(self._is_nobody_elses(x, at, snapshot) for x in (a, b)):
                    raise NotCaptured(f"data decides which list {self.names[at]!r} is")
                merged[at] = (wanted, len(pairs))
                pairs += zip(*(way.values_at(at, wanted) for way in ways), strict=True)
                if wanted[0] in ("scalar", "number"):
                    found = [self._softness(way, at, wanted) for way in ways]
                    if kinds := joined(found):
                        soft[at] = len(pairs), kinds
                        pairs.append(tuple(_TRUE if one is None else one.certain for one in found))
                bound = [self._is_bound(way, at) for way in ways]
                if any(flag != _TRUE for flag in bound):
                    unbound[at] = len(pairs)
                    pairs.append(tuple(bound))
        checks = [c for way in ways for c in way.checks]
        if checks:
            # A branch whose results nobody reads still has to run for what it checks.
            pairs.append(tuple(all_hold([_TRUE, *(c.ok for c in way.checks)]) for way in ways))
        selected = self._is_cheap(pairs, ways)
        values = self._values(pairs, ways, selected)
        if checks:
            # Of a node its regions have said the same before; of a selection nothing else does.
            messages = dict.fromkeys(c.message for c in checks)
            guard(values[-1], ", ".join(messages) if selected else BRANCH_HOLDS)
        for cell, value in zip(cells, values, strict=False):
            cell.value = value
        for at, (wanted, first) in merged.items():
            final[at] = self._merged(at, wanted, values[first:], ways, snapshot)
            if at in soft:
                self.trace.soft[values[first]] = Soft(values[soft[at][0]], soft[at][1])
            if at in unbound:
                self.trace.unbound[values_of(final[at])[0]] = values[unbound[at]]
        self._share(list(merged), final, ways)
        self.set(tuple(final))

    def _share(self, merged: list[int], final: list[Any], ways: list[_Way]) -> None:
        """Variables that are one array after a way are one after the branch, or may not be changed from there on."""
        for k, at in enumerate(merged):
            for other in merged[:k]:
                both = [(way.variables[other], way.variables[at]) for way in ways]
                if not any(set(cells_of(a)) & set(cells_of(b)) for a, b in both):
                    continue
                if all(isinstance(a, LazyArray) and same_variable(a, b) for a, b in both):
                    final[at] = final[other]
                else:
                    self.now.frozen.update((*cells_of(final[at]), *cells_of(final[other])))

    def _way(self, snapshot: Snapshot, run: Callable[[], None]) -> _Way:
        """Trace one way, and go back."""
        containers = Containers(self.trace.shadowed, self.trace.looks)
        self._before = containers if self._before is None else self._before
        written = self.trace.environment.written()
        before = len(self.now.checks)
        self.trace.depth += 1
        self.now.scopes.append(set())
        self.trace.lists.ways += 1
        run()
        self.trace.lists.ways -= 1
        settle_inside(x for x, wanted in zip(self.get(), self.wanted, strict=True) if wanted)
        made = self.now.scopes.pop()
        self.trace.depth -= 1
        if self.trace.environment.written() != written:
            raise NotCaptured("a branch changes a global or an enclosing variable")
        containers.require_looks()
        places = places_of(containers.changed(), "a branch changes a list, a dict, an object or a global variable")
        if self.is_expression and containers.rebound():
            # (Of a statement, what it assigns, and what nested functions may assign, is among its names.)
            raise NotCaptured("an operand changes a variable")
        snapshot.take_in()
        contents = {c: c.value for c, v in snapshot.cells.items() if c.value != v}
        bound = {place.identity: (place, place.get()) for place in places}
        settle_inside(x for _, x in bound.values())
        way = _Way(self.get(), contents, [c for c, _ in self.now.checks[before:]], made, bound)
        snapshot.restore()
        containers.restore()
        return way

    def _widen(self, snapshot: Snapshot, ways: list[_Way]) -> None:
        """Make variables of the places of containers that the ways have bound.

        Raises
        ------
        NotCaptured
            If one way alone makes an attribute or a key.
        """
        places = [place for place, _ in {k: x for way in ways for k, x in way.bound.items()}.values()]
        before = [place.get() for place in places]
        for way in ways:
            for cell, value in way.contents.items():
                cell.value = value
            way.take([way.bound.get(p.identity, (p, x))[1] for p, x in zip(places, before, strict=True)])
            snapshot.restore()
        for at, place in enumerate(places, len(self.names)):
            if any(isinstance(way.variables[at], Undefined) for way in ways):
                raise NotCaptured(f"data decides whether there is {place.name!r}")
            cells = [cell for way in ways for cell in cells_of(way.variables[at])]
            of_the_caller = any(place.holder is new for _, new, _ in self.trace.shadowed)
            if of_the_caller and any(cell in self.trace.callers for cell in cells):
                raise NotCaptured(f"data decides whether {place.name!r} is another array than before the call")
        self._state.places += places
        snapshot.variables = (*snapshot.variables, *before)
        self.names += tuple(place.name for place in places)
        self.wanted += (True,) * len(places)

    def _form(self, name: str, a: Any, b: Any) -> Any:
        """The form in which two different variables become one.

        Raises
        ------
        NotCaptured
            If there is none.
        """
        first, second = (None if isinstance(x, Undefined) else form(x) for x in (a, b))
        if isinstance(a, Undefined) or isinstance(b, Undefined):
            if first is None and second is None:
                raise NotCaptured(f"the variable {name!r} is assigned in one branch only")
            return first or second
        if first is not None and second is not None and first != second:
            kinds = {first[0], second[0]}
            if kinds == {"array"} and ragged_pair(first, second) is not None:
                return ragged_pair(first, second)
            number, scalar = (first, second) if first[0] == "number" else (second, first)
            if kinds == {"number", "scalar"} and scalar[1] in HOLDING.get(number[1], ()):
                return scalar
        if first is None or second is None or first != second:
            raise NotCaptured(f"the variable {name!r} is of another type or shape in each branch")
        return first

    def _is_nobody_elses(self, x: Any, at: int, snapshot: Snapshot) -> bool:
        """Whether a variable after a way is no list, one that the way has made, or one that no other variable is."""
        if not isinstance(x, list) or (isinstance(x, Growing) and x.number > self._first_list):
            return True
        others = [y for k, y in enumerate(snapshot.variables) if k != at]
        others += [new for _, new, _ in self.trace.shadowed]
        return x is snapshot.variables[at] and not any(y is x for y in others)

    def _is_bound(self, way: _Way, at: int) -> Value:
        """Whether a variable of the user's has a value after a way."""
        x = way.variables[at]
        if self.names[at].startswith("__"):
            return _TRUE  # made by the transformation, which reads it only where it is assigned
        if isinstance(x, Undefined):
            return const(False)
        return self.trace.unbound.get(way.values_at(at, form(x))[0], _TRUE) if form(x) is not None else _TRUE

    def _softness(self, way: _Way, at: int, wanted: Any) -> Soft | None:
        """Whether a variable is after a way not of the form that it has after the branch."""
        x = way.variables[at]
        if isinstance(x, Undefined):
            return None
        found = self.trace.soft.get(way.values_at(at, form(x))[0])
        if is_number(x) and wanted[0] == "scalar":
            return Soft(const(False), joined([found]) | {kind_of(x)})
        return found

    def _values(self, pairs: list[Any], ways: list[_Way], selected: bool) -> tuple[Value, ...]:
        """For each pair the value of the way that is taken."""
        if not pairs:
            return ()
        if selected:
            if self.now.scopes:
                # Both ways are part of what the branch is in.
                self.now.scopes[-1].update(*(way.made for way in ways))
            return tuple([a if a == b else record(SELECT, self.condition.value, a, b) for a, b in pairs])
        outputs = [([p[k] for p in pairs], way.checks, way.made.__contains__) for k, way in enumerate(ways)]
        (then, orelse), operands = close_together(outputs, [], {})
        return record_all(OPS["cond"], self.condition.value, *operands, then=then, orelse=orelse)

    def _is_cheap(self, pairs: list[Any], ways: list[_Way]) -> bool:
        """Whether both ways can be done, whichever is taken: a few operations on numbers, which never fail."""
        if any(v.type.shape for pair in pairs for v in pair):
            return False
        total = 0
        for k, way in enumerate(ways):
            region = Region([], {}, way.made.__contains__)
            graph = region.close([p[k] for p in pairs], [])
            total += len(graph.nodes)
            if not all(n.op.pointwise or n.op.name == "exact" or n.op.memory == "free" for n in graph.nodes):
                return False
            if any(t.shape for n in graph.nodes for t in n.types):
                return False
        return total <= _FEW

    def _merged(self, at: int, wanted: Any, values: Any, ways: list[_Way], snapshot: Snapshot) -> Any:
        """The variable after the branch."""
        sources = [way.variables[at] for way in ways]
        if wanted == ("number", int) and all(is_number(x) and kind_of(x) is int for x in sources):
            numbers = [computed(x) for x in sources]
            return number_of(values[0], min(n.low for n in numbers), max(n.high for n in numbers))
        found = made_of(wanted, iter(values), sources[0])
        for source in sources:
            if not isinstance(source, LazyArray) or source._scalar:
                continue
            known = source._cell in snapshot.cells
            if known and source._cell not in self.now.frozen and self._is_own(source, at, ways, snapshot):
                self.trace.owned[found._cell] = source._cell, found._cell.value
            elif known or source._cell in self.now.frozen:
                # Whose memory the variable means is known at run time only: nothing of it may be changed from here on.
                self.now.frozen.update((source._cell, found._cell))
        return found

    def _is_own(self, x: LazyArray, at: int, ways: list[_Way], snapshot: Snapshot) -> bool:
        """Whether nothing but one variable leads to the memory of an array, before the branch and after it."""
        if x is not snapshot.variables[at] or self._before is None or not self._before.is_private(x):
            return False
        if any(x._cell is lazy._cell for _, lazy, _ in self.trace.bases):
            return False
        others = [y for way in ways for k, y in enumerate(way.variables) if k != at]
        return x._cell not in cells_inside(others)


class _Way:
    """What one way of a branch leaves behind.

    Attributes
    ----------
    variables : tuple
    contents : dict
        The cells that it changed, and their values.
    checks : list of Check
    made : set of Node
        The nodes that were recorded in it first.
    bound : dict
        By its identity, each place of a container that it has bound, and what that holds.
    """

    def __init__(
        self, variables: State, contents: dict[Cell, Value], checks: list[Check], made: set[Node], bound: dict[Any, Any]
    ):
        self.contents, self.checks, self.made, self.bound = contents, checks, made, bound
        self.variables: State = ()
        self._values: list[list[Value] | None] = []
        self.take(variables)

    def take(self, variables: Iterable[Any]) -> None:
        """Add variables, as they are now: an array's value changes with its cell."""
        self.variables = (*self.variables, *variables)
        self._values += [
            None if isinstance(x, Undefined) or form(x) is None else values_of(x)
            for x in self.variables[len(self._values) :]
        ]

    def values_at(self, at: int, wanted: Any) -> list[Value]:
        """The values of a variable, or of what stands for one that is undefined."""
        found = self._values[at]
        if found is None:
            return [zeros_of(t) for t in types_of(wanted)]
        if wanted[0] == "ragged":
            return ragged_values(found[0], wanted)
        if wanted[0] == "scalar" and is_number(self.variables[at]):
            return [record(OPS["cast"], found[0], dtype=wanted[1])]
        return found
