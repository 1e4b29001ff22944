"""Loops and branches as native control flow.

Carried scalars live in registers (stack slots that LLVM promotes). A carried array has a buffer; an iteration writes
into it, or computes into another buffer and the two exchange their addresses. Nothing is allocated in an iteration.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lazyarr.backends import native_blocks, native_extrema, native_little, native_points, native_shared, native_steps
from lazyarr.backends import native_nests as nests
from lazyarr.backends.native_emit import Code, Index
from lazyarr.backends.native_frame import Frame, Unshareable
from lazyarr.backends.native_storage import Buffer, Scalar, Storage, Strided
from lazyarr.backends.native_varying import Numbers, Unknown
from lazyarr.ir.graph import Graph
from lazyarr.ir.node import Node, Value


def own(frame: Frame, sources: Sequence[Storage]) -> list[Strided]:
    """Each array in all of a buffer of its own."""
    ready = []
    for s in sources:
        ready.append(s if isinstance(s, Strided) else frame.materialize(s))
        frame.working.append(ready[-1])
    taken: set[Buffer] = set()
    elsewhere: set[Buffer] = set(frame.lowering.held)
    for outer in frame.lowering.frames[:-1]:
        for storage in (*outer.values.values(), *outer.working):
            elsewhere |= storage.buffers
    found = []
    for k, s in enumerate(ready):
        if not (s.is_whole and s.buffer.owned) or s.buffer in taken or s.buffer in elsewhere:
            ready[k] = s = frame.materialize(s)
            frame.working.append(s)
        taken.add(s.buffer)
        found.append(s)
    return found


def turns(code: Code, targets: Sequence[Buffer], sources: Sequence[Buffer]) -> dict[Buffer, Buffer]:
    """Whose memory each buffer gets if each target gets that of its source: sources get what becomes free."""
    moves = {t: s for t, s in zip(targets, sources, strict=True) if t is not s}
    if any(b.part is not code.part for b in (*moves, *moves.values())):
        raise Unshareable("all threads see one address")
    found = dict(moves)
    for target in moves:
        if target not in moves.values():
            last = moves[target]
            while last in moves:
                last = moves[last]
            found[last] = target
    return found


def exchange(code: Code, targets: Sequence[Buffer], sources: Sequence[Buffer]) -> None:
    """Give each target what its source holds: the memory of it (sources get what becomes free), or a copy."""
    moves = turns(code, targets, sources)
    if all(native_little.little(b) for b in moves):
        native_little.copies(code, {t: s for t, s in zip(targets, sources, strict=True) if t is not s})
        return
    # LLVM must not know which buffer of the last iteration one of this iteration is: it would take what `Aliases` says
    # of a statement in one iteration for true of its accesses in two, and read what was there before the last.
    pointers = {b: _unknown(code, code.emit(f"load ptr, ptr {b.variable}")) for b in moves}
    for target, source in moves.items():
        code.do(f"store ptr {pointers[source]}, ptr {target.variable}")
        target.join(source)


def _unknown(code: Code, pointer: str) -> str:
    """The same address, of which LLVM does not know where it comes from."""
    return code.emit(f'call ptr asm "", "=r,0"(ptr {pointer})')


@dataclass
class Slot:
    """One carried value: unchanged by the body, in stack slots, or in a buffer."""

    param: Value
    number: int
    same: Storage | None = None
    variables: list[str] | None = None
    buffer: Buffer | None = None


class State:
    """What a loop carries."""

    def __init__(self, frame: Frame, node: Node, body: Graph, first: int, params: Sequence[Value],
                 given: list[Storage]):  # fmt: skip
        self.frame, self.node = frame, node
        self.slots: list[Slot] = []
        code = frame.code
        initial = given[first : first + len(params)]
        kept: list[Storage] = given[:first] + given[first + len(params) :]
        for k, (param, result, x) in enumerate(zip(params, body.results, initial, strict=False)):
            slot = Slot(param, k)
            if result == param:
                slot.same = x
                kept.append(x)
            elif not param.type.shape:
                slot.variables = nests.variable(code, x.dtype, x.element(code, (), {}))
            self.slots.append(slot)
        for slot, x in zip(self.slots, initial, strict=True):
            if slot.same is None and slot.variables is None:
                others = [s for k, s in enumerate(given) if k != first + slot.number]
                value = node.operands[first + slot.number]
                shared = any(b in s.buffers for s in others for b in x.buffers)
                mine = None if shared else frame.claim(value, x)
                if mine is None:
                    mine = frame.materialize(x)
                    frame.working.append(mine)
                slot.buffer = mine.buffer
        # The arrays that are carried are the body's from here on.
        frame.working = kept

    @property
    def buffers(self) -> list[Buffer]:
        return [slot.buffer for slot in self.slots if slot.buffer is not None]

    def arrays(self) -> dict[int, Strided]:
        """The carried arrays that change."""
        found: dict[int, Strided] = {}
        for slot in self.slots:
            if slot.buffer is not None:
                type = self.node.types[slot.number]
                shape, bounds = self.frame.shape(type)
                found[slot.number] = Strided.whole(self.frame.code, type.dtype, slot.buffer, shape, bounds)
        return found

    def scalars(self) -> dict[int, Storage]:
        """The carried scalars, and what does not change, as they are at the start of an iteration."""
        found: dict[int, Storage] = {}
        for slot in self.slots:
            if slot.same is not None:
                found[slot.number] = slot.same
            elif slot.variables is not None:
                dtype = slot.param.type.dtype
                found[slot.number] = Scalar(dtype, nests.read(self.frame.code, dtype, slot.variables))
        return found

    def enter(self, graph: Graph, first: int, known: dict[int, Storage], consts: Sequence[Storage],
              lead: Sequence[Storage]) -> Frame:  # fmt: skip
        """A frame for the body, or the condition."""
        placeholder = Scalar(np.dtype("i8"), ("0",))
        bound = [*lead, *(known.get(k, placeholder) for k in range(len(self.slots))), *consts]
        inner = Frame(self.frame.lowering, graph, bound)
        for slot in self.slots:
            if slot.buffer is not None:
                param = graph.params[first + slot.number]
                shape, bounds = inner.shape(param.type)
                inner.values[param] = Strided.whole(self.frame.code, param.type.dtype, slot.buffer, shape, bounds)
        return inner

    def sources(self, inner: Frame, results: Sequence[Storage]) -> list[Strided]:
        """The new arrays, each in a buffer of its own."""
        return own(inner, [results[s.number] for s in self.slots if s.buffer is not None])

    def update(self, inner: Frame, results: Sequence[Storage], sources: Sequence[Strided] | None = None) -> None:
        """The new values become the carried ones."""
        code = self.frame.code
        if sources is None:
            sources = self.sources(inner, results)
        exchange(code, self.buffers, [s.buffer for s in sources])
        for slot in self.slots:
            if slot.variables is not None:
                new = results[slot.number]
                nests.assign(code, new.dtype, slot.variables, new.element(code, (), {}))

    def results(self) -> list[Storage]:
        """The carried values after the loop."""
        known: dict[int, Storage] = {**self.scalars(), **self.arrays()}
        return [known[slot.number] for slot in self.slots]


def _index(storage: Storage) -> Index:
    assert isinstance(storage, Scalar)
    text = storage.value[0]
    return int(text) if text.lstrip("-").isdecimal() else text


def loop(frame: Frame, node: Node, given: list[Storage]) -> list[Storage]:
    body, consts = node.kw["body"], given[3 + node.kw["carried"] :]
    start, stop, step = map(_index, given[:3])
    with native_extrema.known(frame, body, consts, (start, stop, step)):
        return _loop(frame, node, given)


def _loop(frame: Frame, node: Node, given: list[Storage]) -> list[Storage]:
    code, body, until = frame.code, node.kw["body"], node.kw["until"]
    carried = node.kw["carried"]
    state = State(frame, node, body, 3, body.params[1 : 1 + carried], given)
    consts = given[3 + carried :]
    start, stop, step = map(_index, given[:3])
    points = native_points.Points.find(body, carried) if until < 0 and isinstance(step, int) else None
    if points is not None and isinstance(step, int):
        frame.lowering.ways[node] = "points"
        numbers = {slot.number: slot.variables for slot in state.slots if slot.variables is not None}
        native_points.run(frame, points, body, (start, stop, step), state.arrays(), numbers, given[3:])
        return state.results()
    blocks = native_blocks.find(body, carried) if until < 0 and isinstance(step, int) else None
    if blocks is not None and isinstance(step, int):
        frame.lowering.ways[node] = "blocks"
        native_blocks.run(frame, blocks, body, state, (start, stop, step), consts)
        return state.results()
    if isinstance(step, int) and node.kw.get("shared") and native_shared.run(
        frame, node, state, (start, stop, step), consts
    ):
        frame.lowering.ways[node] = "shared"
        return state.results()
    rest: Index | None = start
    if until < 0 and isinstance(step, int):
        rest = _passes(frame, body, state, consts, (start, stop, step))
        if rest != start:
            frame.lowering.ways[node] = "passes"
    if rest is None:
        return state.results()
    start = rest
    counted = not isinstance(step, int)
    advance = step if isinstance(step, int) else 1
    first, last = (0, _trips(code, start, stop, step)) if counted else (start, stop)
    head, inside, latch, end = (code.new_label() for _ in range(4))
    before = code.label
    code.go(head)
    code.start(head)
    index, following = code.name(), code.name()
    code.phi(index, f"[ {first}, %{before} ], [ {following}, %{latch} ]")
    more = code.emit(f"icmp {'slt' if advance > 0 else 'sgt'} i64 {index}, {last}")
    said: list[str] = []
    with code.scope(), code.iteration(said):
        if until >= 0:
            test = code.new_label()
            code.branch(more, test, end)
            code.start(test)
            done = state.scalars()[until].element(code, (), {})[0]
            code.branch(done, end, inside)
        else:
            code.branch(more, inside, end)
        code.start(inside)
        at = code.add(start, code.mul(index, step)) if counted else index
        inner = state.enter(body, 1, state.scalars(), consts, [Scalar(np.dtype("i8"), (str(at),))])
        if native_steps.plain(body, _constants(body, carried)):
            results, sources, fills = _recorded(state, inner)
            together = native_steps.Pass.find(fills, [{}], repeated=False)
            if together is not None:
                together.emit(code, 1)
            else:
                _one_after_another(state, fills, [s.buffer for s in sources])
            state.update(inner, results, sources)
        else:
            inner.looped = True
            state.update(inner, inner.run())
        inner.leave()
        code.go(latch)
    code.start(latch)
    code.do(f"{following} = add nsw i64 {index}, {advance}")
    code.again(head, said)
    code.start(end)
    return state.results()


def _constants(body: Graph, carried: int) -> set[Value]:
    """The parameters of a loop's body that are the same in each iteration."""
    params = body.params[1:]
    return {p for k, p in enumerate(params) if k >= carried or body.results[k] == p}


def _recorded(state: State, inner: Frame) -> tuple[list[Storage], list[Strided], list[native_steps.Fill]]:
    """Results, new arrays and nests of an iteration of which the nests are not made yet."""
    code = inner.code
    outer, code.recording = code.recording, []
    try:
        results = inner.run()
        return results, state.sources(inner, results), code.recording
    finally:
        code.recording = outer


def _one_after_another(state: State, fills: Sequence[native_steps.Fill], new: Sequence[Buffer]) -> None:
    """The nests of an iteration, of which arrays in `new` are what counts."""
    lowering = state.frame.lowering
    if not lowering.waiting.is_possible:
        for target, source in fills:
            nests.fill(lowering.code, target, source)
        return
    writes = [target.buffer for target, _ in fills]
    read = set(state.buffers)
    held = list(lowering.held)
    for k, (target, source) in enumerate(fills):
        # (All are recorded: those that follow are known to nobody else.)
        lowering.held[:] = [*held, *new, *(b for y, x in fills[k:] for b in (y.buffer, *x.buffers))]
        own = target.buffer not in read and writes.count(target.buffer) == 1
        lowering.waiting.fill(target, source, own)
        read |= source.buffers
    lowering.held[:] = [*held, *new]
    lowering.waiting.flush()
    lowering.held[:] = held


def _passes(frame: Frame, body: Graph, state: State, consts: Sequence[Storage], bounds: tuple[Index, Index, int]
            ) -> Index | None:  # fmt: skip
    """Do several iterations in one pass over memory if they are alike; gives where the rest starts, if there is one."""
    code, (start, stop, step) = frame.code, bounds
    static = isinstance(start, int) and isinstance(stop, int)
    constants = _constants(body, len(state.slots))
    numbers = Numbers.find(body, constants, {s.number: s.param for s in state.slots if s.variables is not None})
    if numbers is None or body.checks or not (static or step == 1):
        return start
    if not native_steps.plain(numbers.body, set()) or not native_steps.plain(numbers.graph, constants):
        return start
    restore = frame.lowering.saved()
    index = Scalar(np.dtype("i8"), ("0",))
    inner = state.enter(numbers.body, 1, state.scalars(), [*consts, *numbers.varying], [index])
    try:
        _, sources, fills = _recorded(state, inner)
    except Unknown:
        restore()
        return start
    inner.leave()
    turn = turns(code, state.buffers, [s.buffer for s in sources])
    places: list[dict[Buffer, Buffer]] = [{}]
    while len(places) <= native_steps.MOST_STEPS:
        following = {b: places[-1].get(a, a) for b, a in turn.items()}
        if all(a is b for a, b in following.items()):
            break
        places.append(following)
    found = native_steps.Pass.find(fills, places, True, numbers.varying)
    if found is None or found.most * found.iterations == 1:
        return start
    for buffer, other in turn.items():
        buffer.join(other)
    for number in numbers.varying:
        number.allocate(code, found.most * found.iterations)
    count = len(places)
    if isinstance(start, int) and isinstance(stop, int):
        trips: Index = len(range(start, stop, step))
        times: Index = len(range(start, stop, step)) // count
    else:
        trips = code.maximum(code.sub(stop, start), 0)
        times = code.emit(f"sdiv i64 {trips}, {count}")
    with code.loop(0, times, found.most) as done:
        now = code.minimum(code.sub(times, done), found.most)
        first = code.add(start, code.mul(done, count * step))
        _prepare(state, numbers, consts, (first, step, code.mul(now, count)))
        found.emit(code, now)
    if count == 1 or (isinstance(trips, int) and trips % count == 0):
        return None
    return code.add(start, code.mul(times, count * step))


def _prepare(state: State, numbers: Numbers, consts: Sequence[Storage], range: tuple[Index, int, Index]) -> None:
    """Compute the numbers of iterations to come: from the first on, by steps, so many."""
    if not numbers.graph.results:
        return
    code, (first, step, many) = state.frame.code, range
    with code.loop(0, many) as k:
        index = Scalar(np.dtype("i8"), (str(code.add(first, code.mul(k, step))),))
        inner = state.enter(numbers.graph, 1, state.scalars(), consts, [index])
        values = [x.element(code, (), {}) for x in inner.run()]
        inner.leave()
        for number, value in zip(numbers.varying, values, strict=False):
            number.put(code, k, value)
        changing = [slot for slot in state.slots if slot.variables is not None]
        for slot, value in zip(changing, values[len(numbers.varying) :], strict=True):
            assert slot.variables is not None
            nests.assign(code, slot.param.type.dtype, slot.variables, value)


def _trips(code: Code, start: Index, stop: Index, step: Index) -> Index:
    """The length of ``range(start, stop, step)``."""
    up = code.emit(f"icmp sgt i64 {step}, 0")
    low = code.emit(f"select i1 {up}, i64 {start}, i64 {stop}")
    high = code.emit(f"select i1 {up}, i64 {stop}, i64 {start}")
    size = code.emit(f"select i1 {up}, i64 {step}, i64 {code.sub(0, step)}")
    span = code.sub(high, low)
    return code.maximum(code.emit(f"sdiv i64 {code.add(span, code.sub(size, 1))}, {size}"), 0)


def while_(frame: Frame, node: Node, given: list[Storage]) -> list[Storage]:
    code, body, test = frame.code, node.kw["body"], node.kw["cond"]
    carried = node.kw["carried"]
    state = State(frame, node, body, 0, body.params[:carried], given)
    consts = given[carried:]
    head, inside, end = (code.new_label() for _ in range(3))
    code.go(head)
    code.start(head)
    with code.scope():
        if code.part is not None:
            # Where the program has ended already, this loop may run for ever.
            going = code.new_label()
            outcome = code.emit(f"load atomic i32, ptr {code.part.failed} monotonic, align 4")
            code.branch(code.emit(f"icmp eq i32 {outcome}, 0"), going, code.part.leave)
            code.start(going)
        known = state.scalars()
        # The arrays are still needed by the body, whatever the condition has done with them.
        frame.lowering.held.extend(state.buffers)
        asks = state.enter(test, 0, known, consts, [])
        more = asks.run()[0].element(code, (), {})[0]
        asks.leave()
        for buffer in state.buffers:
            frame.lowering.held.remove(buffer)
        code.branch(more, inside, end)
        code.start(inside)
        inner = state.enter(body, 0, known, consts, [])
        inner.looped = True
        results = inner.run()
        state.update(inner, results)
        inner.leave()
        code.go(head)
    code.start(end)
    return state.results()


def cond(frame: Frame, node: Node, given: list[Storage]) -> list[Storage]:
    code = frame.code
    then, orelse = node.kw["then"], node.kw["orelse"]
    pred = given[0].element(code, (), {})[0]
    operands = given[1:]
    passed = [_passed(then, orelse, k) for k in range(len(node.types))]
    # What nobody reads afterwards may be written by the branches.
    frame.working = [
        x for v, x in zip(node.operands[1:], operands, strict=True) if not frame.dead(v)
    ] + [operands[k] for k in passed if k is not None]
    arrays = [k for k, t in enumerate(node.types) if passed[k] is None and t.shape]
    numbers = [k for k, t in enumerate(node.types) if passed[k] is None and not t.shape]
    variables: dict[int, list[str]] = {}
    targets: list[Buffer] = []
    yes, no, end = (code.new_label() for _ in range(3))
    code.branch(pred, yes, no)
    for label, region_ in ((yes, then), (no, orelse)):
        code.start(label)
        with code.scope():
            inner = Frame(frame.lowering, region_, operands)
            results = inner.run()
            sources = own(inner, [results[k] for k in arrays])
            if label == yes:
                targets = [s.buffer for s in sources]
            else:
                exchange(code, targets, [s.buffer for s in sources])
            for k in numbers:
                value = results[k].element(code, (), {})
                if k not in variables:
                    variables[k] = [code.alloca(_register(node, k)) for _ in value]
                nests.assign(code, node.types[k].dtype, variables[k], value)
            inner.leave()
        code.go(end)
    code.start(end)
    found: list[Storage] = []
    for k, type in enumerate(node.types):
        through = passed[k]
        if through is not None:
            found.append(operands[through])
        elif type.shape:
            shape, bounds = frame.shape(type)
            found.append(Strided.whole(code, type.dtype, targets[arrays.index(k)], shape, bounds))
        else:
            found.append(Scalar(type.dtype, nests.read(code, type.dtype, variables[k])))
    return found


def _register(node: Node, k: int) -> str:
    from lazyarr.backends.native_emit import register

    return register(node.types[k].dtype)


def _passed(then: Graph, orelse: Graph, k: int) -> int | None:
    """The operand that result `k` is in both branches."""
    for position, (a, b) in enumerate(zip(then.params, orelse.params, strict=True)):
        if then.results[k] == a and orelse.results[k] == b:
            return position
    return None


def region(frame: Frame, node: Node, given: list[Storage]) -> list[Storage]:
    inner = Frame(frame.lowering, node.kw["body"], given)
    results = inner.run()[: len(node.types)]
    inner.leave()
    return results
