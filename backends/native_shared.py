"""Loops of which threads run different iterations: their bodies as functions of their own.

A range of iterations is cut into units. Whoever runs a unit writes into the arrays that the loop carries, which all
threads share, and has numbers and temporary arrays of its own; numbers that are folds are put together afterwards, in
the order of the units. Which loops may run like this the graph says (attribute ``shared``); which should, what they
cost: where that is not known, the caller begins alone and looks at the clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lazyarr.backends import native_integer, native_little, native_scalar, native_threads
from lazyarr.backends import native_nests as nests
from lazyarr.backends.native_costs import Work, static_trips, work
from lazyarr.backends.native_emit import DIVIDE, Element, Index, Part, literal, register
from lazyarr.backends.native_frame import Frame, Unshareable
from lazyarr.backends.native_storage import Scalar, Storage
from lazyarr.ir.graph import Check, Graph
from lazyarr.ir.node import Node, Value
from lazyarr.ops.folds import BEST, EXACT, KEPT, LAST, Contest, fitting

if TYPE_CHECKING:
    from lazyarr.backends.native_control import State

#: Units a thread: the more, the better uneven ones are made up for.
UNITS = 16
#: Memory that threads may have for themselves, in bytes, all of them together.
_MOST = 1 << 28
_TAKE = """
define internal i64 @take(ptr %taken, i64 %count) {
entry:
  br label %try
try:
  %k = phi i64 [ 0, %entry ], [ %next, %other ]
  %place = getelementptr i8, ptr %taken, i64 %k
  %old = atomicrmw xchg ptr %place, i8 1 acquire
  %free = icmp eq i8 %old, 0
  br i1 %free, label %mine, label %other
other:
  %k1 = add i64 %k, 1
  %over = icmp eq i64 %k1, %count
  %next = select i1 %over, i64 0, i64 %k1
  br label %try
mine:
  ret i64 %k
}
"""


def run(frame: Frame, node: Node, state: State, bounds: tuple[Index, Index, int], consts: Sequence[Storage]) -> bool:
    """Lower a loop so that threads share it; False, and nothing has changed, where it is not worth it or impossible."""
    threads = native_threads.threads()
    trips = static_trips(bounds)
    if threads < 2 or frame.code.part is not None or (trips is not None and trips < max(4, threads)):
        return False
    each = work(node.kw["body"])
    if trips is not None and trips * each.nanoseconds < _worth(each):
        return False
    if each.shares and (trips is None or trips < 4 * threads):
        # Its statements are shared themselves.
        return False
    restore = frame.lowering.saved()
    variables = [slot.variables for slot in state.slots]
    try:
        _Shared(frame, node, state, bounds, consts, threads).lower(each)
    except Unshareable:
        restore()
        for slot, own in zip(state.slots, variables, strict=True):
            slot.variables = own
        return False
    return True


def _worth(each: Work) -> float:
    """Nanoseconds by the estimate from which on a loop may be worth sharing; looking at the clock costs, too."""
    return nests.WORTH if each.certain else 4 * nests.WORTH


class _Shared:
    """One loop being lowered."""

    def __init__(self, frame: Frame, node: Node, state: State, bounds: tuple[Index, Index, int],
                 consts: Sequence[Storage], threads: int):  # fmt: skip
        self.frame, self.code, self.state, self.consts, self.threads = frame, frame.code, state, consts, threads
        self.body: Graph = node.kw["body"]
        self.roles: tuple[str, ...] = node.kw["shared"]
        self.start, self.step = bounds[0], bounds[2]
        self.trips = self._trips(*bounds)
        self.most = UNITS * threads
        #: What each unit leaves of each carried number: an array of as many elements as there are units.
        self.left: dict[int, list[str]] = {}
        found = {k: Contest.find(self.body, k) for k, role in enumerate(self.roles) if role in (BEST, KEPT)}
        self.contests = {k: contest for k, contest in found.items() if contest is not None}
        #: For each contest, whether a unit has replaced the values.
        self.won: dict[Value, str] = {}

    def _trips(self, start: Index, stop: Index, step: int) -> Index:
        known = static_trips((start, stop, step))
        if known is not None:
            return known
        code, size = self.code, abs(step)
        span = code.add(code.sub(stop, start) if step > 0 else code.sub(start, stop), size - 1)
        return code.maximum(span if size == 1 else code.emit(f"sdiv i64 {span}, {size}"), 0)

    def lower(self, each: Work) -> None:
        code = self.code
        enough = None
        if not isinstance(self.trips, int):
            least = max(3, int(_worth(each) / each.nanoseconds))
            enough = code.emit(f"icmp sgt i64 {self.trips}, {least}")
        units = code.minimum(self.trips, self.most)
        if enough is not None:
            units = code.emit(f"select i1 {enough}, i64 {units}, i64 1")
        self.size = code.emit(f"udiv i64 {self.trips}, {units}")
        self.rest = code.emit(f"urem i64 {self.trips}, {units}")
        failed = code.alloca("i32")
        code.do(f"store i32 0, ptr {failed}")
        words = -(-self.threads // 8)
        taken = code.alloca("i64", words)
        for k in range(words):
            code.do(f"store i64 0, ptr {code.emit(f'getelementptr inbounds i64, ptr {taken}, i64 {k}')}")
        for slot in self.state.slots:
            if slot.variables is not None:
                type = register(slot.param.type.dtype)
                self.left[slot.number] = [code.alloca(type, self.most) for _ in slot.variables]
        self.won = {contest.test: code.alloca("i8", self.most) for contest in self.contests.values()}
        name_and_table: list[str] = []
        part = Part(failed, code.new_label())
        checks = len(self.frame.lowering.checks)
        with code.function(name_and_table) as (first, last):
            code.part = part
            with code.loop(first, last) as unit:
                self._unit(unit)
            code.go(part.leave)
            self._leave(part, taken)
            code.part = None
        name, table = name_and_table
        self._call(name, table, units, enough, each)
        if len(self.frame.lowering.checks) > checks:
            outcome = code.emit(f"load i32, ptr {failed}")
            good, bad = code.new_label(), code.new_label()
            code.branch(code.emit(f"icmp eq i32 {outcome}, 0"), good, bad)
            code.start(bad)
            self.frame.lowering.end(outcome)
            code.start(good)
        self._put_together(units)

    def _leave(self, part: Part, taken: str) -> None:
        """The end of the function; and its beginning, where it gets memory of its own."""
        code = self.code
        code.start(part.leave)
        little = [b for b in part.buffers if native_little.own(b)]
        for buffer in little:
            code.allocas += [f"  {buffer.variable} = alloca ptr", *native_little.local(buffer)]
        large = [b for b in part.buffers if b not in little]
        if sum(b.capacity for b in large) * self.threads > _MOST:
            raise Unshareable("each thread would need much memory")
        if not large:
            return
        code.module.declare("take", _TAKE)
        lines = [f"  %mine = call i64 @take(ptr {taken}, i64 {self.threads})"]
        for buffer in large:
            buffer.copies = self.threads
            n = buffer.number
            code.allocas.append(f"  {buffer.variable} = alloca ptr")
            lines += [
                f"  %stride{n} = load i64, ptr @stride{n}",
                f"  %off{n} = mul i64 %mine, %stride{n}",
                f"  %own{n} = getelementptr inbounds i8, ptr %p{n}, i64 %off{n}",
                f"  store ptr %own{n}, ptr {buffer.variable}",
            ]
        code.lines[0:0] = lines
        code.do(f"%given = getelementptr i8, ptr {taken}, i64 %mine")
        code.do("store atomic i8 0, ptr %given release, align 1")

    def _unit(self, unit: str) -> None:
        """The iterations of one unit."""
        code, state, body = self.code, self.state, self.body
        part = code.part
        assert part is not None
        outcome = code.emit(f"load atomic i32, ptr {part.failed} monotonic, align 4")
        going = code.new_label()
        code.branch(code.emit(f"icmp eq i32 {outcome}, 0"), going, part.leave)
        code.start(going)
        first = code.add(code.mul(unit, self.size), code.minimum(unit, self.rest))
        following = code.add(unit, 1)
        last = code.add(code.mul(following, self.size), code.minimum(following, self.rest))
        outer = {slot.number: slot.variables for slot in state.slots}
        for slot in state.slots:
            if slot.variables is not None:
                slot.variables = nests.variable(code, slot.param.type.dtype, self._begins(slot.number))
        won = {test: nests.variable(code, np.dtype(bool), ("false",)) for test in self.won}
        with code.loop(first, last) as turn:
            index = code.add(self.start, code.mul(turn, self.step))
            lead = Scalar(np.dtype("i8"), (str(index),))
            inner = state.enter(body, 1, state.scalars(), self.consts, [lead])
            results = inner.run()
            for test, slots in won.items():
                now = inner.values[test].element(code, (), {})[0]
                before = nests.read(code, np.dtype(bool), slots)[0]
                nests.assign(code, np.dtype(bool), slots, (code.emit(f"or i1 {before}, {now}"),))
            state.update(inner, results)
            inner.leave()
        for slot in state.slots:
            if slot.variables is not None:
                dtype = slot.param.type.dtype
                value = nests.read(code, dtype, slot.variables)
                for array, x in zip(self.left[slot.number], value, strict=True):
                    place = code.emit(f"getelementptr inbounds {register(dtype)}, ptr {array}, i64 {unit}")
                    code.do(f"store {register(dtype)} {x}, ptr {place}")
        for test, slots in won.items():
            byte = code.emit(f"zext i1 {nests.read(code, np.dtype(bool), slots)[0]} to i8")
            place = code.emit(f"getelementptr inbounds i8, ptr {self.won[test]}, i64 {unit}")
            code.do(f"store i8 {byte}, ptr {place}")
        for slot in state.slots:
            slot.variables = outer[slot.number]

    def _begins(self, k: int) -> Element:
        """What a carried number is at the start of a unit."""
        dtype = self.state.slots[k].param.type.dtype
        role = self.roles[k]
        if role == BEST:
            return nests.identity("maximum" if self.contests[k].largest else "minimum", dtype)
        if role in (LAST, KEPT):
            return literal(0, dtype)
        return nests.identity("add" if role == EXACT else role, dtype)

    def _call(self, name: str, table: str, units: Index, enough: str | None, each: Work) -> None:
        code = self.code
        share = code.fork(name, table, 0, units, finer=UNITS // 4)
        if not each.certain:
            code.module.declare("divide", f"declare void @{DIVIDE}(ptr, ptr, i64, i64)")
            share = f"call void @{DIVIDE}(ptr @{name}, ptr {table}, i64 {units}, i64 {UNITS // 4})"
        if enough is None:
            code.do(share)
            return
        many, few, end = (code.new_label() for _ in range(3))
        code.branch(enough, many, few)
        code.start(many)
        code.do(share)
        code.go(end)
        code.start(few)
        code.do(f"call void @{name}(ptr {table}, i64 0, i64 1)")
        code.go(end)
        code.start(end)

    def _put_together(self, units: Index) -> None:
        """What the units have left becomes what the loop carries, in their order."""
        code = self.code
        if not self.left:
            return
        # Of no iterations nothing is left but where folds begin.
        some = code.emit(f"icmp sgt i64 {self.trips}, 0") if not isinstance(self.trips, int) else "true"
        with code.when(some):
            ready = [s for s in self.state.slots if s.variables is not None and self.roles[s.number] == LAST]
            for slot in ready:
                self._assign(slot.number, self._left(slot.number, code.sub(units, 1)))
            if len(ready) == len(self.left):
                return
            with code.loop(0, units) as unit:
                for slot in self.state.slots:
                    if slot.variables is not None and self.roles[slot.number] not in (LAST, BEST, KEPT):
                        self._fold(slot.number, self._left(slot.number, unit))
                for test in self.won:
                    self._decide(test, unit)

    def _left(self, k: int, unit: Index) -> Element:
        type = register(self.state.slots[k].param.type.dtype)
        places = [self.code.emit(f"getelementptr inbounds {type}, ptr {a}, i64 {unit}") for a in self.left[k]]
        return tuple(self.code.emit(f"load {type}, ptr {place}") for place in places)

    def _now(self, k: int) -> Element:
        slot = self.state.slots[k]
        assert slot.variables is not None
        return nests.read(self.code, slot.param.type.dtype, slot.variables)

    def _assign(self, k: int, value: Element) -> None:
        slot = self.state.slots[k]
        assert slot.variables is not None
        nests.assign(self.code, slot.param.type.dtype, slot.variables, value)

    def _fold(self, k: int, value: Element) -> None:
        code, role, now = self.code, self.roles[k], self._now(k)
        if role == EXACT:
            (total,), (fits,) = native_integer.exact(code, "add", now[0], value[0])
            check = _sums_fit(self.body)
            assert check is not None
            self.frame.lowering.check(check, fits)
            self._assign(k, (total,))
            return
        combine = native_scalar.combine(role, self.state.slots[k].param.type.dtype)
        assert combine is not None
        self._assign(k, combine(code, now, value))

    def _decide(self, test: Value, unit: Index) -> None:
        """Let a unit's values replace those before it, if they would have."""
        code = self.code
        members = [k for k, contest in self.contests.items() if contest.test == test]
        contest = self.contests[members[0]]
        old, new = self._now(contest.leader), self._left(contest.leader, unit)
        generate = native_scalar.generator(test.node)
        assert generate is not None
        better = generate(code, [old, new] if contest.first else [new, old])[0][0]
        place = code.emit(f"getelementptr inbounds i8, ptr {self.won[test]}, i64 {unit}")
        found = code.emit(f"icmp ne i8 {code.emit(f'load i8, ptr {place}')}, 0")
        wins = code.emit(f"and i1 {found}, {better}")
        for k in members:
            dtype = self.state.slots[k].param.type.dtype
            self._assign(k, code.select(wins, dtype, self._left(k, unit), self._now(k)))


def _sums_fit(graph: Graph) -> Check | None:
    """A check in a graph or its regions that an integer fits 64 bits."""
    for check in graph.checks:
        if fitting(check.ok):
            return check
    found = (_sums_fit(region) for node in graph.nodes for region in node.regions)
    return next((check for check in found if check is not None), None)
