"""Lowering one graph: each node in turn becomes code, a view, or a formula kept until it is used.

Buffers are whose they are by what still reads them. A value that is overwritten in place (`put_window`) has no reader
left; formulas that would read it later are stored before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lazyarr.backends import native_integer, native_joins, native_modulus, native_scalar, native_select
from lazyarr.backends import native_nests as nests
from lazyarr.backends.native_call import HostCall
from lazyarr.backends.native_emit import Code, Element, Index, part, register, stored
from lazyarr.backends.native_extrema import Extrema
from lazyarr.backends.native_plan import WINDOW_WRITERS, Plan
from lazyarr.backends.native_schedule import ordered
from lazyarr.backends.native_storage import (
    Buffer,
    Extents,
    Map,
    Pointwise,
    Scalar,
    Storage,
    Strided,
    View,
    is_long,
    reads_elsewhere,
    touches,
    view,
    whole_array,
)
from lazyarr.backends.native_together import Waiting
from lazyarr.backends.native_views import VIEWS
from lazyarr.ir import extents
from lazyarr.ir.graph import Check, Graph
from lazyarr.ir.node import Attrs, Node, Value
from lazyarr.ir.types import ArrayType
from lazyarr.ops.control import runs_by_data

#: Nodes from which on a program is large: its loop nests become functions of their own.
LARGE = 60


class Unshareable(Exception):
    """What is being lowered cannot be done by several threads at once."""


class Lowering:
    """A program under construction: its code, its buffers, the graphs that are being lowered, outermost first."""

    def __init__(self, code: Code, graph: Graph):
        self.code = code
        self.exact = code.exact = runs_by_data(graph)
        code.large = _size(graph) > LARGE
        self.buffers: list[Buffer] = []
        self.frames: list[Frame] = []
        #: What NumPy does.
        self.calls: list[HostCall] = []
        self.checks: list[Check] = []
        #: Statements of a graph that are done together.
        self.waiting = Waiting(code, self.used)
        #: Buffers that hold what no frame names at the moment.
        self.held: list[Buffer] = []
        #: How loops are done, where it is not one iteration after another: see `native.ways`.
        self.ways: dict[Node, str] = {}
        #: What is known of arrays that stay as they are while a loop runs.
        self.extrema: dict[Buffer, Extrema] = {}
        #: Whether memory of the caller's is written: checks come before that, as far as can be.
        self.in_place = False
        #: Number of the outermost node that is being lowered, of the last that may fail, and of the first that writes
        #: into a buffer.
        self.node = 0
        self._fails = -1
        self._writes: dict[Buffer, int] = {}

    def buffer(self, owned: bool, capacity: int) -> Buffer:
        """A new buffer; its address is an argument of the function."""
        number, part = len(self.buffers), self.code.part
        slot = f"%slot{number}"
        if part is None:
            self.code.allocas.append(f"  {slot} = alloca ptr")
            self.code.allocas.append(f"  store ptr %p{number}, ptr {slot}")
        self.buffers.append(Buffer(slot, number, owned, capacity, part=part))
        if part is not None:
            part.buffers.append(self.buffers[-1])
        return self.buffers[-1]

    def used(self) -> set[Buffer]:
        """Buffers that hold something."""
        found = set(self.held)
        for frame in self.frames:
            for storage in (*frame.values.values(), *frame.working, *frame.selected.values()):
                found |= storage.buffers
        return found | self.waiting.buffers

    def free(self, frame: Frame) -> set[Buffer]:
        """Buffers that only operands of the node that `frame` lowers still read, and that may be written."""
        used = set(self.held)
        for one in self.frames:
            for storage in (*one.values.values(), *one.selected.values(), *(one.working if one is not frame else ())):
                used |= storage.buffers
        return {b for b in self.buffers if b.owned and b.part is self.code.part} - used

    def allocate(self, dtype: np.dtype[Any], shape: Extents, bounds: tuple[int, ...]) -> Strided:
        """Memory for an array."""
        capacity = int(np.prod([int(b) for b in bounds], dtype=object)) * dtype.itemsize
        used = self.used()
        free = [b for b in self.buffers if b.owned and b.part is self.code.part and b not in used
                and capacity <= b.capacity <= 2 * capacity]  # fmt: skip
        buffer = min(free, key=lambda b: b.capacity) if free else self.buffer(True, capacity)
        buffer.taken += 1
        self.writes(buffer)
        return Strided.whole(self.code, dtype, buffer, shape, bounds)

    def writes(self, buffer: Buffer) -> None:
        """Note that a buffer is written from here on."""
        self._writes.setdefault(buffer, self.node)

    def untouched(self, buffer: Buffer) -> bool:
        """Whether the memory of a buffer is as it was wherever the program may fail."""
        return self._fails < min((self._writes[b] for b in buffer.peers if b in self._writes), default=self.node + 1)

    def fail(self, ok: str, number: int, selected: bool = False) -> None:
        """End the program with code `number` unless `ok`, which is `selected` where data says what has to hold."""
        code = self.code
        good, bad = code.new_label(), code.new_label()
        # One jump, which is never taken; not one for each condition, of which one goes as data says.
        together = ", !unpredictable !{}" if selected else ""
        code.branch(ok, good, bad, f', !prof !{{!"branch_weights", i32 1000000, i32 1}}{together}')
        code.start(bad)
        self.end(number)
        code.start(good)

    def end(self, outcome: Index) -> None:
        """End the program with an outcome; where threads share a loop, those that run it see to it."""
        code = self.code
        self._fails = self.node
        if code.part is None:
            code.do(f"ret i32 {outcome}")
            return
        code.do(f"store atomic i32 {outcome}, ptr {code.part.failed} monotonic, align 4")
        code.go(code.part.leave)

    def saved(self) -> Callable[[], None]:
        """What puts back the program as it is now: for what turns out to be impossible halfway."""
        code = self.code.saved()
        lists: list[list[Any]] = [self.buffers, self.frames, self.checks, self.held, self.calls]
        ends = [len(x) for x in lists]
        peers = {id(b.peers): (b.peers, list(b.peers)) for b in self.buffers}
        buffers = [(b, b.capacity, b.peers) for b in self.buffers]
        fails, writes = self._fails, dict(self._writes)

        def restore() -> None:
            code()
            self._fails, self._writes = fails, writes
            for x, end in zip(lists, ends, strict=True):
                del x[end:]
            for one, members in peers.values():
                one[:] = members
            for buffer, capacity, own in buffers:
                buffer.capacity, buffer.peers = capacity, own

        return restore

    def check(self, check: Check, ok: str) -> None:
        self.checks.append(check)
        if ok != "true":
            self.fail(ok, len(self.checks), check.ok.node.op.name == "select")


class Frame:
    """One graph being lowered.

    Attributes
    ----------
    values : dict of Value to Storage
        What is known; arrays until their last use.
    working : list of Storage
        Operands of the node that is being lowered.
    """

    def __init__(self, lowering: Lowering, graph: Graph, bound: Sequence[Storage], outermost: bool = False):
        self.lowering, self.code, self.graph = lowering, lowering.code, graph
        self.outermost = outermost
        #: Whether it is the body of a loop that is done one iteration after another.
        self.looped = False
        self.values: dict[Value, Storage] = dict(zip(graph.params, bound, strict=True))
        self.working: list[Storage] = []
        #: What selections, and passes over matrices, have given already.
        self.selected: dict[Value, Storage] = {}
        #: The nodes that have been lowered, and the one that is.
        self.ran: set[Node] = set()
        self.uses: dict[Value, int] = {}
        for value in (*(v for node in graph.nodes for v in node.operands), *graph.roots):
            self.uses[value] = self.uses.get(value, 0) + 1
        self.checks: dict[Value, list[Check]] = {}
        for check in graph.checks:
            self.checks.setdefault(check.ok, []).append(check)
        self.plan = Plan(graph, totals=True, joins=not lowering.exact)

    # --- what values are

    def extent(self, extent: Any) -> Index:
        """An extent as an index."""
        if isinstance(extent, int):
            return extent
        storage = self.values[extent.scalar]
        assert isinstance(storage, Scalar)
        text = storage.value[0]
        return int(text) if text.lstrip("-").isdecimal() else text

    def shape(self, type: ArrayType) -> tuple[Extents, tuple[int, ...]]:
        """Extents and bounds of a type of this graph."""
        return tuple(map(self.extent, type.shape)), tuple(map(int, extents.bounded(type.shape)))

    def materialize(self, storage: Storage) -> Strided:
        """What is not stored yet, stored."""
        self.lowering.waiting.flush()
        self.working.append(storage)
        target = self.lowering.allocate(storage.dtype, storage.shape, storage.bounds)
        nests.fill(self.code, target, storage)
        target.limits = storage.limits
        self.working[-1] = target
        return target

    def stored(self, storage: Storage) -> Strided:
        """In memory, in whatever order."""
        return storage if isinstance(storage, Strided) else self.materialize(storage)

    # --- running

    def run(self) -> list[Storage]:
        """Lower the graph; gives the storages of its roots."""
        self.lowering.frames.append(self)
        for value in self.graph.params:
            if value in self.checks:
                self._check(value)
            if not self.uses.get(value) and value.type.shape:
                self.values.pop(value, None)
        code, cuts = self.code, list[str]()
        whole = code.large and code.part is None and code.aliases is None
        if whole:
            code.cuts.append(cuts)
        for node in ordered(self.graph, self.plan):
            if whole:
                code.cut(cuts)
            self._run(node)
        self.lowering.waiting.flush()
        if whole:
            code.cut(cuts)
        return [self.values[root] for root in self.graph.roots]

    def placed(self, value: Value, storage: Storage) -> None:
        """Let later readers find `value` where it has been written."""
        if value in self.plan.written and self.uses.get(value):
            self.values[value] = storage

    def leave(self) -> None:
        """Forget the frame: its results are somebody else's now."""
        assert self.lowering.frames.pop() is self

    def _check(self, value: Value) -> None:
        storage = self.values[value]
        assert isinstance(storage, Scalar)
        for check in self.checks[value]:
            if not self.outermost or self.lowering.in_place or any(n.op.dependent for n in self.graph.nodes):
                self.lowering.check(check, storage.value[0])

    def _run(self, node: Node) -> None:
        if self.outermost:
            self.lowering.node += 1
        if not self.lowering.waiting.quiet(node):
            self.lowering.waiting.flush()
        for k, v in enumerate(node.operands):
            if v in self.plan.written and not (node.op.name in WINDOW_WRITERS and k == 1):
                # Read before it is written into an array: that window cannot be its memory.
                if not isinstance(self.values[v], Strided):
                    self.values[v] = self.materialize(self.values[v])
        given = [self.values[v] for v in node.operands]
        for operand in node.operands:
            self.uses[operand] -= 1
            if self.uses[operand] == 0 and operand.type.shape:
                self.values.pop(operand, None)
        self.working = list(given)
        self.ran.add(node)
        results = self._lower(node, given)
        self.working = []
        for value, storage in zip(node.values, results, strict=True):
            if self.uses.get(value) or not value.type.shape:
                self.values[value] = storage
            if value in self.checks:
                self._check(value)

    def _lower(self, node: Node, given: list[Storage]) -> list[Storage]:
        from lazyarr.backends.native_compare import COMPARED, compared
        from lazyarr.backends.native_rules import RULES

        name = node.op.name
        if node.values[0] in self.selected:
            return [self.selected.pop(node.values[0])]
        if node in self.plan.selections:
            return [native_select.select(self, self.plan.selections[node])]
        if name in VIEWS:
            return [self._settled(node, 0, VIEWS[name](self, node, given))]
        if name in RULES:
            found = RULES[name](self, node, given)
            if found is not None:
                return found
        if name in COMPARED and not node.types[0].shape:
            decided = compared(self, node)
            if decided is not None:
                return [decided]
        if self.lowering.exact and name == "exp" and node.types[0].dtype.kind == "c":
            return self.host(node, given)
        if node.op.pointwise or name == "exact":
            generate = native_scalar.generator(node)
            if generate is not None:
                return self._pointwise(node, given, generate)
        return self.host(node, given)

    def _settled(self, node: Node, index: int, storage: Storage) -> Storage:
        """A new value, stored if the plan says so; without axes, in registers."""
        if not storage.shape:
            if isinstance(storage, Scalar):
                return storage
            return Scalar(storage.dtype, storage.element(self.code, (), {}))
        if node.values[index] in self.plan.written:
            return storage
        if node.values[index] in self.plan.stored and not isinstance(storage, Strided) and self.uses.get(
            node.values[index]
        ):
            return self._computed(node, storage)
        cut = node.values[index] in self.plan.cuts or is_long(storage.flops, storage.depth)
        return self.materialize(storage) if cut else storage

    def _pointwise(self, node: Node, given: list[Storage], generate: Any) -> list[Storage]:
        types = node.types
        shape, bounds = self.shape(types[0])
        if not shape:
            values = generate(self.code, [x.element(self.code, (), {}) for x in given])
            return [Scalar(t.dtype, value) for t, value in zip(types, values, strict=True)]
        found = native_modulus.compared(self.code, node.op.name, given, generate)
        if found is not None:
            return [self._settled(node, 0, found)]
        flops = float(node.cost.flops)
        flops /= max(1.0, float(np.prod([float(b) for b in bounds])))
        results: list[Storage] = []
        # Not the node: it may be applied to other operands in another run of the same region.
        shared = object()
        limits = None
        if node.op.name in ("floor_divide", "remainder"):
            limits, generate = native_integer.whole_division(node.op.name, given, generate)
        for k, t in enumerate(types):
            result = Pointwise(t.dtype, shape, bounds, given, generate, flops, k, shared)
            result.limits = limits
            result.operation = node.op.name
            result.is_modulus = node.op.name == "absolute" and given[0].dtype.kind == "c"
            result.ramp = native_integer.ramp(self.code, node.op.name, given)
            if limits is not None and isinstance(given[1], Scalar):
                result.apart = (node.op.name, int(given[1].value[0]))
            results.append(result)
        return [self._settled(node, k, r) for k, r in enumerate(results)]

    # --- writing in place

    def dead(self, value: Value) -> bool:
        """Whether nobody reads `value` after the node that is being lowered."""
        return not self.uses.get(value)

    def alone(self, x: Storage) -> bool:
        """Whether it is all of a buffer that may be written, and no other graph that is being lowered reads that."""
        if not (isinstance(x, Strided) and x.is_whole and x.buffer.owned) or x.buffer in self.lowering.held:
            return False
        outer = self.lowering.frames[:-1]
        return not any(x.buffer in s.buffers for frame in outer for s in (*frame.values.values(), *frame.working))

    def claim(self, value: Value, x: Storage, new: Value | None = None, map: Map | None = None,
              like: Storage | None = None) -> Strided | None:  # fmt: skip
        """The memory of `x`, to be written, if nobody needs its old contents; what still reads it is stored before.

        `new` is what will be written: it need not be stored. Only what `map` takes, of the shape of `like`, is written.
        """
        if not self.dead(value) or not self.alone(x):
            return None
        assert isinstance(x, Strided)
        placed = new if new in self.plan.written else None
        window: Storage = x
        if map is not None and like is not None:
            window = view(self.code, x, map, like.shape, like.bounds)
        assert isinstance(window, Strided)
        readers = [v for v, s in self.values.items() if touches(s, window) and v != placed]
        size = sum(float(np.prod([float(b) for b in self.values[v].bounds])) * v.type.dtype.itemsize for v in readers)
        if size > 0.5 * float(np.prod([float(b) for b in x.bounds])) * x.dtype.itemsize + 64:
            return None
        for reader in readers:
            self.values[reader] = self.materialize(self.values[reader])
        self.lowering.writes(x.buffer)
        return x

    def _computed(self, node: Node, storage: Storage) -> Strided:
        """What is made element by element, stored: in the memory of what it is made of, if nobody needs that any more.

        (``a += f`` is a new array in the graph.)
        """
        target, join = self._replaced(node, storage), self.plan.joins.get(node)
        if target is None and join is None and not self.waits:
            return self.materialize(storage)
        if join is None or not native_joins.smooth(storage):
            return self.made_later(storage, target)
        target = self._room(storage, target)
        self.lowering.waiting.flush()
        native_joins.make(self, join, storage, target, {})
        return target

    @property
    def waits(self) -> bool:
        """Whether statements may wait for those that follow."""
        return self.outermost or (self.looped and self.lowering.waiting.is_possible)

    def _room(self, storage: Storage, target: Strided | None) -> Strided:
        """Where something is to be stored: in `target`, or in memory of its own."""
        self.working.append(storage)
        target = target or self.lowering.allocate(storage.dtype, storage.shape, storage.bounds)
        self.working.append(target)
        target.limits = storage.limits
        return target

    def made_later(self, storage: Storage, target: Strided | None = None) -> Strided:
        """Stored, in memory of its own or in `target`: now, or together with what follows."""
        room = self._room(storage, target)
        self.fill(room, storage, own=target is None)
        return room

    def fill(self, target: Strided, source: Storage, own: bool = False) -> None:
        """``target[...] = source``, now or together with what follows; `own`: into memory that was allocated for it."""
        if self.waits:
            self.lowering.waiting.fill(target, source, own)
        else:
            nests.fill(self.code, target, source)

    def _replaced(self, node: Node, new: Storage) -> Strided | None:
        """The memory of an array that a formula alone still reads, element for element; None without one.

        (Not where several iterations may become one pass: what is written there and what is read take turns.)
        """
        if len(node.values) > 1 or self.code.recording is not None:
            return None
        for buffer in sorted(new.buffers & self.lowering.free(self), key=lambda b: b.number):
            old = whole_array(new, buffer)
            if old is None or old.dtype != new.dtype or old.shape != new.shape:
                continue
            if not reads_elsewhere(self.code, new, old) and not self.lowering.waiting.is_between(buffer):
                self.lowering.writes(buffer)
                return Strided.whole(self.code, new.dtype, buffer, new.shape, new.bounds)
        return None

    def copy(self, x: Storage) -> Strided:
        """A new array with the elements of `x`."""
        return self.materialize(x)

    # --- NumPy

    def host(self, node: Node, given: list[Storage]) -> list[Storage]:
        """Let NumPy run a node."""
        return self.host_call(node.op.name, node.attrs, given, node.types)

    def host_call(self, operation: str, attrs: Attrs, given: list[Storage], types: Sequence[ArrayType],
                  into: bool = False) -> list[Storage]:  # fmt: skip
        """Call back into Python; with `into`, NumPy's function of that name takes its one result as ``out``."""
        ready, results = self.ready(given), self.made(types)
        return self.python(operation, attrs, ready, results, into)

    def ready(self, given: Sequence[Storage]) -> list[Storage]:
        """Operands as others than native code take them: in memory, or scalars."""
        self.lowering.waiting.flush()
        if self.code.part is not None:
            raise Unshareable("Python runs in one thread at a time")
        found: list[Storage] = []
        for x in given:
            found.append(x if not x.shape else self.stored(x))
            self.working.append(found[-1])
        return found

    def made(self, types: Sequence[ArrayType], given: Mapping[int, Strided] | None = None) -> list[Storage]:
        """Memory for what others than native code make, if it is not `given`; for a scalar one without a value."""
        found: list[Storage] = []
        for k, t in enumerate(types):
            shape, bounds = self.shape(t)
            if given and k in given:
                found.append(given[k])
            elif shape:
                found.append(self.lowering.allocate(t.dtype, shape, bounds))
                self.working.append(found[-1])
            else:
                found.append(Scalar(t.dtype, ()))
        return found

    def python(self, operation: str, attrs: Attrs, ready: Sequence[Storage], results: Sequence[Storage],
               into: bool = False) -> list[Storage]:  # fmt: skip
        """Call back into Python, on operands that are `ready`; `results` are those that were `made`."""
        code, lowering = self.code, self.lowering
        slots: list[str] = []
        forms = [(x.dtype, len(x.shape)) for x in ready], [(x.dtype, len(x.shape)) for x in results]
        call = HostCall(operation, attrs, *forms, into)
        lowering.calls.append(call)
        table = code.alloca("i64", call.slots)
        at = 0

        def put(word: Index | str) -> None:
            nonlocal at
            code.do(f"store i64 {word}, ptr {code.emit(f'getelementptr inbounds i64, ptr {table}, i64 {at}')}")
            at += 1

        for x in (*ready, *results):
            if isinstance(x, Strided):
                pointer = code.address(code.pointer(x.buffer), x.dtype, x.offset)
                put(code.emit(f"ptrtoint ptr {pointer} to i64"))
            else:
                assert isinstance(x, Scalar)
                slot = code.alloca("i64", 2)
                spill(code, slot, x.dtype, x.value)
                slots.append(slot)
                put(code.emit(f"ptrtoint ptr {slot} to i64"))
        for x in (*ready, *results):
            if isinstance(x, Strided):
                for word in (*x.shape, *x.strides):
                    put(word)
        outcome = code.emit(f"call i32 %host(i64 {len(lowering.calls) - 1}, ptr {table})")
        lowering.fail(code.emit(f"icmp eq i32 {outcome}, 0"), -1)
        found: list[Storage] = []
        scalars = [s for s in (*ready, *results) if not s.shape]
        for x in results:
            if x.shape:
                found.append(x)
            else:
                slot = slots[next(k for k, s in enumerate(scalars) if s is x)]
                found.append(Scalar(x.dtype, unspill(code, slot, x.dtype)))
        return found


def _size(graph: Graph) -> int:
    """Number of nodes, those of regions included."""
    return sum(1 + sum(map(_size, node.regions)) for node in graph.nodes)


def spill(code: Code, slot: str, dtype: np.dtype[Any], value: Element) -> None:
    """Write an element to memory as NumPy has it."""
    for k, x in enumerate(value):
        if dtype.kind == "b":
            x = code.emit(f"zext i1 {x} to i8")
        place = code.emit(f"getelementptr inbounds {stored(dtype)}, ptr {slot}, i64 {k}")
        code.do(f"store {stored(dtype)} {x}, ptr {place}")


def unspill(code: Code, slot: str, dtype: np.dtype[Any]) -> Element:
    """Read an element from memory as NumPy has it."""
    found = []
    for k in range(2 if dtype.kind == "c" else 1):
        place = code.emit(f"getelementptr inbounds {stored(dtype)}, ptr {slot}, i64 {k}")
        x = code.emit(f"load {stored(dtype)}, ptr {place}, align {part(dtype).itemsize}")
        found.append(code.emit(f"icmp ne i8 {x}, 0") if dtype.kind == "b" else x)
    assert register(dtype)
    return tuple(found)


def constant_view(value: Scalar, shape: Extents, bounds: tuple[int, ...]) -> View:
    """One scalar everywhere."""
    return View(value, (), shape, bounds)
