"""The runtime: recorded values -> graph -> passes -> back ends -> results, and the caches in between."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from contextvars import ContextVar
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary, WeakSet, ref

import numpy as np

import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr import eager, evaluations, forks, interrupts, own_parts, settings, world
from lazyarr.backends.base import GivenUp
from lazyarr.captured import capture
from lazyarr.compilers import first_compiler
from lazyarr.evaluations import own
from lazyarr.failures import raise_failed
from lazyarr.gains import gains
from lazyarr.ir.extension import compiled
from lazyarr.ir.extents import Shape, is_static
from lazyarr.ir.graph import Check, CheckFailed, Graph, Line, Program, depth_first
from lazyarr.ir.node import Node, Value, make
from lazyarr.ir.op import Op
from lazyarr.leaves import LEAF, Leaf, leaf
from lazyarr.observers import Holder, Observer
from lazyarr.pending import Form, held_with
from lazyarr.plans import Plan, plans
from lazyarr.source import NOWHERE, Place, is_internal, known_files, place, user_handles_errors, user_line
from lazyarr.surrender import LOST, cannot_fail, made_anew, nobodys, note_replaced, renew, replaced, written
from lazyarr.varying import numbers


def record(op: Op, *operands: Value, **attrs: Any) -> Value:
    """The first result of `op`, credited to the user's line."""
    return Value(record_node(op, operands, attrs), 0)


def record_all(op: Op, *operands: Value, **attrs: Any) -> tuple[Value, ...]:
    """All results of `op`, credited to the user's line."""
    node = record_node(op, operands, attrs)
    if len(node.types) > 1 and (now := recording()).at_once and (found := _at_once(node, now)) is not None:
        return found
    return node.values


def record_node(op: Op, operands: tuple[Value, ...], attrs: dict[str, Any]) -> Node:
    """The node of `op`, credited to the user's line; with one result that NumPy computes at once: that result's."""
    node = make(op, operands, tuple(sorted(attrs.items())) if len(attrs) > 1 else tuple(attrs.items()))
    now = recording()
    if now.at_once and len(node.types) == 1 and (found := _at_once(node, now)) is not None:
        return found[0].node
    scopes = now.scopes
    if scopes and not any(node in scope for scope in scopes):
        scopes[-1].add(node)
    credit(node)
    return node


def _credit(*nodes: Node) -> None:
    """Note that the user's line has recorded nodes."""
    line = user_line(4)
    for node in nodes:
        if line not in node.lines:
            node.lines = node.lines | {line}


def _record_pending(op: Op, operands: tuple[Value, ...]) -> Node:
    """`record_node` outside traces, of what is known not to be done at once."""
    node = make(op, operands)
    credit(node)
    return node


credit: Callable[..., None] = _credit
record_pending: Callable[[Op, tuple[Value, ...]], Node] = _record_pending
if compiled is not None:
    compiled.install_lines(known_files, is_internal, NOWHERE)
    credit, record_pending = compiled.credit, compiled.record


def _at_once(node: Node, now: Recording) -> tuple[Value, ...] | None:
    """The results of little work on data that exists, computed by NumPy; None for other work."""
    together = world.current()
    if not together and not all(map(eager.exists, node.operands)):
        return None
    if not (together or eager.may_be_little(node)) or any(now.may_measure(t.shape, t.dtype) for t in node.types):
        return None
    found = own_parts.results(node, together) if together else None
    if found is None and (not together or eager.may_be_little(node)):
        found = eager.results(node, eager.of_leaf)
    if found is not None:
        world.done_at_once(nbytes=sum(int(t.nbytes) for t in node.types) if together else 0)
    return None if found is None else tuple(leaf(x, t) for x, t in zip(found, node.types, strict=True))


#: Held while the value of a storage cell is replaced.
storage_lock = forks.lock()


#: Why an array cannot be changed in place.
FROZEN = "an array is changed whose memory depends on a branch or a loop on data, or which has elements several times"


class NotCaptured(BaseException):
    """A loop or branch cannot become part of a compiled program; it runs in Python then.

    Not an `Exception`: the traced function's own handlers must not take it for an error of theirs.

    Attributes
    ----------
    line : (str, int)
        The user's line that is the reason.
    """

    def __init__(self, reason: str, line: Line | None = None):
        super().__init__(reason)
        self.line = user_line(2) if line is None else line
        _note_thrown(self)


def _note_thrown(error: BaseException) -> None:
    """Tell the trace: code that is traced may have an ``except`` clause for everything."""
    observer = recording().observer
    if observer is not None:
        observer.thrown = error


class Recording:
    """What is recorded and not yet run, in one thread (or one accelerated call)."""

    __slots__ = ("__weakref__", "cells", "checks", "flush_place", "frozen", "holders", "little", "observer", "passed",
                 "scopes", "since_flush")  # fmt: skip

    def __init__(self, observer: Observer | None = None):
        self.holders: list[Any] = []
        self.checks: list[tuple[Check, Line]] = []
        self.since_flush = 0
        #: Pending operations that evaluations passed by, one evaluation's added to another's.
        self.passed = 0
        self.flush_place: Place | None = None
        self.little = eager.LittleInARow()
        self.observer = observer
        #: Every storage cell that is alive, where loops and branches are captured; the nodes that each of the scopes
        #: recorded first; and the cells that nothing may write to: whose sharing of memory is known at run time only,
        #: or which have elements several times.
        self.cells: WeakKeyDictionary[Any, None] | None = None
        self.scopes: list[set[Node]] = []
        self.frozen: set[Any] = set()

    @property
    def at_once(self) -> bool:
        """Whether NumPy does little work on data that exists at once."""
        return self.observer is None or self.observer.in_python

    def may_measure(self, shape: Shape, dtype: np.dtype[Any]) -> bool:
        """Whether a value has lengths that data decides, or may become one: it is not to be computed at once.

        Lengths are equal if they are one value of the graph.
        """
        return not is_static(shape) or (self.observer is not None and not shape and dtype.kind in "iub")

    def hold(self, holder: Holder) -> None:
        """Note that `holder` has pending work; counts towards a flush."""
        self.holders.append(ref(holder))
        self.since_flush += 1
        if self.observer is None and self.little.is_much(holder.value):
            # What they are parts of exists then, and NumPy does the next ones at once.
            flush(self)
        elif self.since_flush > settings.current.flush_after:
            if self.observer is not None and not self.observer.may_flush(self.since_flush):
                return
            self._maybe_flush()

    def _maybe_flush(self) -> None:
        # In a time loop, flush always at the same operation: the flushed graphs are then equal and compile once.
        now, late = place(3), self.since_flush > 2 * settings.current.flush_after
        if self.flush_place is None or now == self.flush_place or late:
            self.flush_place = now
            flush(self)

    def pending(self) -> list[Holder]:
        """Holders still alive whose value is not computed."""
        alive = [h for r in self.holders if (h := r()) is not None and h.value.node.op is not LEAF]
        unique = list({id(h): h for h in alive}.values())
        self.holders = [ref(h) for h in unique]
        return unique


#: Held while a program may destroy the data of arrays: no other thread begins to look at any meanwhile.
_destroying = forks.lock()
#: The recordings of threads.
_recordings: WeakSet[Recording] = WeakSet()


class _Threads(threading.local):
    def __init__(self) -> None:
        with _destroying:
            self.recording = Recording()
            _recordings.add(self.recording)


threads = _Threads()
#: The recording of the accelerated call that is being traced in this context.
traced: ContextVar[Recording | None] = ContextVar("lazyarr_recording", default=None)


def recording() -> Recording:
    """The recording of the accelerated call that runs, or else of the thread."""
    return traced.get() or threads.recording


def is_tracing() -> bool:
    """Whether the code that runs is being traced."""
    return traced.get() is not None


def use_recording(new: Recording) -> Callable[[], None]:
    """Make `new` the recording of this context; gives the function that ends it."""
    token = traced.set(new)
    return lambda: traced.reset(token)


def add_check(ok: Value, exception: str, message: str, named: Callable[[], str] | None = None) -> None:
    """Record a condition that must hold before any result counts.

    Outside an accelerated call it is tested at once, so that the error comes at the user's line, as in NumPy; within
    one only where the user's code could handle the error. `named` then gives the message, of data.
    """
    now = recording()
    check = Check(ok, exception, message)
    # (In a compiled loop or branch a failed check has Python run the call, its handlers included.)
    if getattr(now.observer, "depth", 0) or (now.observer is not None and not user_handles_errors(2)):
        now.checks.append((check, user_line(2)))
        return
    if now.observer is not None:
        now.observer.observed("an error that the function itself may handle")
    held = fetch(ok)
    check = check if named is None or held else Check(ok, exception, named())
    raise_failed([(check, user_line(2))], [check], [held])


def guard(ok: Value, what: str) -> None:
    """Record a condition under which the program stands for the function; where it fails, Python runs the call.

    Parameters
    ----------
    ok : Value
        A bool scalar.
    what : str
        The condition in words.
    """
    recording().checks.append((Check(ok, "CheckFailed", what), user_line(2)))


#: Operations of loops that are interpreted; they take a tenth of the time that compiling a small loop does.
_INTERPRETED = 3_000
#: The same where a call has been compiling for long already: loops that go on for long are compiled all the same.
_INTERPRETED_LATE = 60_000


def run(
    program: Program, leaves: Sequence[Leaf], may_compile: bool = True, surrendered: Sequence[int] = ()
) -> tuple[list[Any], tuple[Check, ...]]:
    """Run a captured program on the data of its leaves, compiled or interpreted as the settings and its size say.

    Parameters
    ----------
    program : Program
    leaves : sequence of Leaf
    may_compile : bool
        Whether it may be compiled where it is not yet.
    surrendered : sequence of int
        Those leaves whose data the program may destroy; they have none afterwards.

    Returns
    -------
    list of array
        Results, then the conditions of checks.
    tuple of Check
        The checks whose conditions those are.
    """
    arguments = [found.data for found in leaves]
    for k in surrendered:
        leaves[k].data = LOST
    together, given_up = world.current(), {}
    if together is None:
        given_up = {k: GivenUp(arguments[k]) for k in surrendered}
        for k, kept in given_up.items():
            arguments[k] = kept
    try:
        if together is None:
            return _run(program, arguments, may_compile)
        from lazyarr import distributed

        # (Decided for the whole program: their parts of it may look alike, or not.)
        compiled = _is_worth_compiling(program.graph) or _has_regions(program.graph)
        way = partial(compute_part, compiled=compiled)
        return distributed.run(together, program, arguments, way, compiled=compiled, surrendered=surrendered)
    except BaseException:
        # (What nothing has begun to write into is as it was: compiling may have failed, or somebody have ended it.)
        for k in surrendered:
            data = given_up[k].array if k in given_up else arguments[k]
            if data is not None:
                leaves[k].data = data
        raise


def compute_part(program: Program, arguments: list[Any], compiled: bool = True) -> tuple[list[Any], tuple[Check, ...]]:
    """Run what one of several ranks does, in the way that they have all decided on."""
    if compiled:
        plan = plans.get(program, _surrendered(program.graph, arguments))
        results, checks = plan(arguments), plan.checks
    else:
        from lazyarr.backends.numpy import interpret

        results, checks = interpret(program.graph, [as_numpy(a) for a in arguments]), program.graph.checks
    return own(results, arguments), checks


def _surrendered(graph: Graph, arguments: Sequence[Any]) -> tuple[int, ...]:
    """The parameters that a program may destroy, as `Plan` takes them: of those made anew the ones that are given up.

    (Of those it writes parts of it copies those that are not.)
    """
    anew = [k for k in made_anew(graph) if type(arguments[k]) is GivenUp]
    return tuple([-1 - k for k in (*written(graph), *anew)])


def _run(program: Program, arguments: list[Any], may_compile: bool) -> tuple[list[Any], tuple[Check, ...]]:
    if settings.current.reproducible:
        compiled = _is_worth_compiling(program.graph) or _has_regions(program.graph)
        return compute_part(program, arguments, compiled)  # as ranks decide
    if (known := plans.find(program.graph, _surrendered(program.graph, arguments))) is not None:
        return known(arguments), known.checks
    if not _is_worth_compiling(program.graph) or not may_compile:
        from lazyarr.backends.numpy import Allowance, Exhausted, interpret

        # A long loop costs more to interpret, even once, than to compile.
        most = _INTERPRETED if may_compile else _INTERPRETED_LATE
        allowance = Allowance(most) if _has_regions(program.graph) else None
        begin = time.perf_counter()
        try:
            found = interpret(program.graph, [as_numpy(a) for a in arguments], allowance)
            plans.interpreted(program.graph, time.perf_counter() - begin)
            return found, program.graph.checks
        except Exhausted:
            pass
    plan = plans.get(program, _surrendered(program.graph, arguments))
    return plan(arguments), plan.checks


def _is_worth_compiling(graph: Graph) -> bool:
    """Count a graph that is about to run; whether it has come often enough to be compiled, or pays at once.

    What comes again is interpreted until that has taken a part of the time of compiling, too. (Ranks decide nothing by
    the clock, but by what it should have taken.)
    """
    most = settings.current.compile_after
    often = plans.count(graph) >= most
    if often and most > 1 and first_compiler() == "native" and not _has_regions(graph):
        from lazyarr.passes.costs import compiling_seconds, interpreting_seconds

        together, least = world.current(), _RENT * compiling_seconds(graph)
        often = plans.interpreted(graph) >= least
        if together is not None and not often:
            often = plans.interpreted(graph, interpreting_seconds(graph) / together.size) >= least
    return often or _pays_at_once(graph)


#: The part of the time of compiling that a graph is interpreted for before it is compiled.
_RENT = 0.1


def _pays_at_once(graph: Graph) -> bool:
    """Whether a graph that nobody has seen is compiled."""
    from lazyarr.passes.costs import pays_at_once

    return first_compiler() == "native" and pays_at_once(graph)


def _has_regions(graph: Graph) -> bool:
    return any(True for node in graph.nodes for _ in node.regions)


def fetch(value: Value) -> Any:
    """The data of one value (a NumPy array, a jax array, or a Python scalar)."""
    if isinstance(value.node, Leaf):
        return value.node.data
    return evaluate([value])[0]


#: What constants are made of when they are asked for, again each time: elements, and what a node is worth in elements.
_LITTLE_WORK, _NODE = 1_000_000, 1000


def constant_data(value: Value) -> np.ndarray[Any, Any] | None:
    """The data of a value that is computed from constants alone, with little work; None for any other."""
    work = 0
    for node in depth_first([value]):
        if isinstance(node, Leaf) and not node.constant:
            return None
        work += _NODE + sum(t.size if is_static(t.shape) else 0 for t in node.types)
        if work > _LITTLE_WORK:
            return None
    from lazyarr.backends.numpy import interpret

    program, leaves = capture([value])
    return np.array(interpret(program.graph, [as_numpy(found.data) for found in leaves])[0])


def evaluate(roots: Sequence[Value]) -> list[Any]:
    """Compute values, and with them what they pass through, or share work with, that somebody still holds."""
    now = recording()
    if replaced:
        roots = renew(now, roots)
    wanted = [v for v in roots if not isinstance(v.node, Leaf)]
    if not wanted and not now.checks:
        return [v.node.data for v in roots if isinstance(v.node, Leaf)]
    # (What has been recorded since the last evaluation has more operations than what is left of it.)
    is_long = len(now.holders) > eager.STEPS
    pending = now.pending()
    may_be_short = pending and not is_long and now.at_once and not now.checks
    if may_be_short and (done := eager.all_at_once(wanted, [h.value for h in pending])) is not None:
        asked = {*wanted, *(h.value for h in pending)}
        own_data = {v: x if x.base is None else np.array(x, order="K") for v, x in done.items() if v in asked}
        _keep(pending, own_data)
        return [v.node.data if isinstance(v.node, Leaf) else own_data[v] for v in roots]
    return _compute(now, list(roots), *held_with(now, wanted, pending))


def flush(now: Recording) -> None:
    """Compute everything pending in a recording."""
    if replaced:
        renew(now, ())
    _compute(now, [], now.pending())


def _compute(
    now: Recording, roots: list[Value], holders: list[Holder], form: Form | None = None, met: list[Leaf] | None = None
) -> list[Any]:
    """Compute roots, and what holders hold.

    `form` and the leaves `met` in it are what `held_with` gives; the list is empty afterwards.
    """
    met = [] if met is None else met
    checks, now.checks = now.checks, []
    if len(holders) == len(now.holders):
        now.passed = 0
    # (What is still pending counts on: it may be much, though something is computed again and again.)
    now.since_flush = max(0, min(now.since_flush, len(now.holders)) - len(holders))
    held = [h.value for h in holders]
    needed = [v for v in dict.fromkeys([*roots, *held]) if not isinstance(v.node, Leaf)]
    if checks or now.observer is not None or world.active or settings.current.reproducible:
        form = None
    known = None if form is None else form.known
    if known is not None:
        program, leaves, asked = known.program, [met[k] for k in known.parameters], known.asked
    else:
        recorded, leaves = capture(needed, [c for c, _ in checks])
        program = recorded
        if now.observer is not None:
            now.observer.ran(program)
        elif not settings.current.reproducible:
            program, leaves = numbers.lifted(program, leaves)
        graph = program.graph
        asked = (*written(graph), *made_anew(graph)) if now.observer is None and cannot_fail(graph) else ()
        if form is not None and program is recorded and (plan := _plan_of(graph)) and numbers.are_settled(graph):
            form.known = known = evaluations.known(program, evaluations.places(leaves, met), asked, plan)
    if not world.active:
        _note_won(program.graph, form)
    # (Who else refers to leaves counts.)
    met.clear()
    found = None
    if asked and len(_recordings) == 1:
        found = _computed_destroying(now, program, leaves, needed, checks, asked, holders)
    if found is None:
        if known is not None:
            found = dict(zip(needed, known.run(leaves), strict=True))
        else:
            found = _computed(now, program, leaves, needed, checks)
        _keep(holders, found)
    return [v.node.data if isinstance(v.node, Leaf) else found[v] for v in roots]


def _note_won(graph: Graph, form: Form | None) -> None:
    """Note what an evaluation wins, which is known of a form that has come before."""
    won = None if form is None else form.won
    if won is None:
        won = eager.won(graph)
        if form is not None:
            form.won = won
    gains.note(won)


def _computed_destroying(
    now: Recording, program: Program, leaves: Sequence[Leaf], needed: Sequence[Value],
    checks: Sequence[tuple[Check, Line]], asked: Sequence[int], holders: Sequence[Holder],
) -> dict[Value, Any] | None:  # fmt: skip
    """Compute values over data that nobody has any more, of the leaves asked for; None if somebody has all of it.

    Those who hold the values are given the data.
    """
    with ExitStack() as until_kept:
        with _destroying:
            if len(_recordings) > 1:  # (Another thread may have begun since.)
                return None
            others: list[Value] = []
            if len(holders) < len(now.holders):
                chosen = {id(h) for h in holders}
                others = [h.value for h in now.pending() if id(h) not in chosen]
            taken = nobodys(leaves, asked, needed, others)
            if not taken:
                return None
            until_kept.enter_context(interrupts.held())
            found = _computed(now, program, leaves, needed, checks, taken)
            note_replaced(found)
        # (Not before: who waits for this program to end may hold the lock of this.)
        _keep(holders, found)
        return found


def _plan_of(graph: Graph) -> Plan | None:
    """The plan of a graph, if there is one, that runs where nobody gives up data."""
    return plans.find(graph, tuple([-1 - k for k in written(graph)]))


def _computed(
    now: Recording, program: Program, leaves: Sequence[Leaf], needed: Sequence[Value],
    checks: Sequence[tuple[Check, Line]], surrendered: Sequence[int] = (),
) -> dict[Value, Any]:  # fmt: skip
    """The data of values."""
    try:
        may_compile = now.observer is None or now.observer.may_compile(program)
        results, left = run(program, leaves, may_compile, surrendered)
        raise_failed(checks, left, results[len(needed) :])
    except CheckFailed as failed:
        _note_thrown(failed)
        raise
    return dict(zip(needed, own(results[: len(needed)], [x.data for x in leaves]), strict=True))


def _keep(holders: Sequence[Holder], found: dict[Value, Any]) -> None:
    """Give those whose values have been computed the data."""
    with storage_lock:
        for holder in holders:
            # (Another thread may have written meanwhile: its value is the newer one.)
            if (value := holder.value) in found:
                holder.value = leaf(found[value], value.type)


def as_numpy(data: Any) -> Any:
    """`data` as a NumPy array (no copy from jax on the CPU; read-only then); Python scalars stay."""
    return data if isinstance(data, (np.ndarray, int, float, complex, GivenUp)) else np.asarray(data)


def to_owned_numpy(data: Any) -> np.ndarray[Any, Any]:
    """Results nobody else holds as a NumPy array that may be written to; no copy from jax on the CPU."""
    if isinstance(data, np.ndarray):
        return data
    if hasattr(data, "unsafe_buffer_pointer"):
        from lazyarr.backends.xla import adopt

        return adopt(data)
    return np.array(data)
