"""Plans: programs after the passes, ready to run; the most recent ones in memory, those of native code on disk too."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from lazyarr import forks
from lazyarr.backends.base import given
from lazyarr.compilers import first_compiler
from lazyarr.ir.graph import REPEATED, Graph, Program
from lazyarr.ir.node import Node
from lazyarr.ir.text import parse, show
from lazyarr.schedules import Schedule, key, load, store

#: Runs a region.
_Runner = Callable[[Sequence[Any]], Sequence[Any]]


class Plan:
    """A program after the passes, ready to run.

    Attributes
    ----------
    before : Program
        What was recorded.
    checks : tuple of Check
        Those whose conditions are computed, after the results.

    Parameters
    ----------
    program : Program
    replaced : sequence of int
        Parameters whose data is replaced after a run, by a result. Native code may write results there. ``-1 - k``:
        those that nobody has after a run, even if that fails; the argument is then `GivenUp`, or it is copied.
    """

    def __init__(self, program: Program, replaced: Sequence[int] = ()):
        self.before = program
        self._after: Program | None = None
        self._compiler = first_compiler()
        name = key(program.graph, replaced, self._compiler)
        self._schedule, self._runners = (name and _kept(name)) or self._compiled(replaced, name)
        self.checks = self._schedule.checks

    @property
    def after(self) -> Program:
        """What the passes make of it: a schedule of regions."""
        # (`functools.cached_property` of Python 3.11 has one lock for all plans, which forked children find held.)
        if self._after is None:
            from lazyarr.passes.pipeline import pipeline, run_pipeline

            self._after = run_pipeline(self.before, pipeline(self._compiler))
        return self._after

    def _compiled(self, replaced: Sequence[int], name: str) -> tuple[Schedule, list[_Runner]]:
        """The schedule and what runs its steps; they are kept on disk under a name, if it has one."""
        graph = self.after.graph
        donated = [self._donated(node, replaced) for node in graph.nodes]
        schedule = Schedule.of(graph, donated)
        bodies = [node.kw["body"] for node in graph.nodes]
        runners = [_runner(step.backend, body, step.donate) for step, body in zip(schedule.steps, bodies, strict=True)]
        if name and any(step.backend == "native" for step in schedule.steps):
            sources = [
                getattr(runner, "key", "") if step.backend == "native" else show(body)
                for step, body, runner in zip(schedule.steps, bodies, runners, strict=True)
            ]
            if all(sources):
                store(name, schedule, sources)
        return schedule, runners

    def _donated(self, node: Node, replaced: Sequence[int]) -> tuple[int, ...]:
        """The operands of a region that it may write into: of a native one that is the whole plan, and cannot fail.

        And those that nobody needs after it, if they may be destroyed (``-1 - k``).
        """
        graph = self.after.graph
        if node.kw["backend"] != "native":
            return tuple(node.kw.get("donate", ()))
        surrendered = {graph.params[-1 - k] for k in replaced if k < 0} - set(graph.roots)
        if surrendered:
            later = graph.nodes[graph.nodes.index(node) + 1 :]
            surrendered -= {v for other in later for v in other.operands}
            alone = [v in surrendered and node.operands.count(v) == 1 for v in node.operands]
            return tuple(-1 - k for k, found in enumerate(alone) if found)
        if len(graph.nodes) > 1:
            return tuple(node.kw.get("donate", ()))
        tested = {check.message for check in node.kw["body"].checks} | set(REPEATED)
        if any(check.message not in tested for check in graph.checks):
            return ()  # Their conditions are results: known when everything is written.
        wanted = {graph.params[k] for k in replaced if k >= 0} - set(graph.roots)
        return tuple(k for k, v in enumerate(node.operands) if v in wanted and node.operands.count(v) == 1)

    def alone(self) -> tuple[_Runner, list[int], list[int]] | None:
        """Of a plan that is one region: what runs it, the parameters it takes, and which of its results each root is.

        A root that is parameter `k` itself is ``-1 - k``.
        """
        schedule = self._schedule
        if len(schedule.steps) != 1:
            return None
        (step,) = schedule.steps
        roots = [k - schedule.params if k >= schedule.params else -1 - k for k in schedule.roots]
        return self._runners[0], list(step.operands), roots

    def __call__(self, arguments: Sequence[Any]) -> list[Any]:
        """Run on one argument a parameter; gives one array for each result and check, NumPy's or jax's."""
        values = list(arguments)
        assert len(values) == self._schedule.params
        for step, run in zip(self._schedule.steps, self._runners, strict=True):
            taken = {step.operands[-1 - k] for k in step.donate if k < 0}
            values += run([values[k] if k in taken else given(values[k]) for k in step.operands])
            for k in step.dead:
                values[k] = None
        return [given(values[k]) for k in self._schedule.roots]


def _kept(name: str) -> tuple[Schedule, list[_Runner]] | None:
    """What is kept on disk under a name; None if something is missing."""
    found = load(name)
    if found is None:
        return None
    from lazyarr.backends import native

    schedule, sources = found
    known: dict[tuple[str, str, tuple[int, ...]], _Runner | None] = {}
    for step, source in zip(schedule.steps, sources, strict=True):
        form = step.backend, source, step.donate
        if form not in known:
            own = step.backend == "native"
            known[form] = native.load(source) if own else _runner(step.backend, parse(source), step.donate)
    runners = [known[step.backend, source, step.donate] for step, source in zip(schedule.steps, sources, strict=True)]
    complete = [runner for runner in runners if runner is not None]
    return (schedule, complete) if len(complete) == len(runners) else None


@lru_cache(maxsize=1024)
def _runner(name: str, body: Graph, donate: tuple[int, ...]) -> _Runner:
    """What runs `body`; plans share it where they have equal regions, as longer and shorter runs of one loop do."""
    from lazyarr.backends.base import backend

    return backend(name)(body, donate)


class Cache:
    """The most recently used plans by graph; safe from many threads."""

    def __init__(self, limit: int = 512):
        self._limit = limit
        self._plans: OrderedDict[tuple[str, Graph, tuple[int, ...]], Plan] = OrderedDict()
        self._seen: OrderedDict[Graph, int] = OrderedDict()
        #: Seconds for which graphs have been interpreted.
        self._interpreted: dict[Graph, float] = {}
        self._lock = forks.lock()
        #: How long making plans has taken, and how much of it was the time of the threads that asked for them.
        self.seconds = self.thread_seconds = 0.0
        self._watchers: list[Callable[[], None]] = []

    def watch(self, cleared: Callable[[], None]) -> None:
        """Call a function whenever every plan is forgotten."""
        self._watchers.append(cleared)

    def count(self, graph: Graph) -> int:
        """How often `graph` has been asked for, this time included."""
        with self._lock:
            self._seen[graph] = times = self._seen.pop(graph, 0) + 1
            if len(self._seen) > 4 * self._limit:
                self._interpreted.pop(self._seen.popitem(last=False)[0], None)
            return times

    def interpreted(self, graph: Graph, seconds: float = 0.0) -> float:
        """Note for how long `graph` was interpreted; how long it has been so far."""
        with self._lock:
            found = self._interpreted.get(graph, 0.0) + seconds
            if graph in self._seen:
                self._interpreted[graph] = found
            return found

    def get(self, program: Program, replaced: tuple[int, ...] = ()) -> Plan:
        """The plan of a program, made at the first call; `replaced` as for `Plan`."""
        key = first_compiler(), program.graph, replaced
        with self._lock:
            plan = self._plans.get(key)
            if plan is not None:
                self._plans.move_to_end(key)
                return plan
        begin, thread_begin = time.monotonic(), time.thread_time()
        plan = Plan(program, replaced)
        with self._lock:
            self.seconds += time.monotonic() - begin
            self.thread_seconds += time.thread_time() - thread_begin
            self._plans[key] = plan
            if len(self._plans) > self._limit:
                self._plans.popitem(last=False)
        return plan

    def find(self, graph: Graph, replaced: tuple[int, ...] = ()) -> Plan | None:
        """The plan of a graph if there is one."""
        key = first_compiler(), graph, replaced
        with self._lock:
            plan = self._plans.get(key)
            if plan is not None:
                self._plans.move_to_end(key)
            return plan

    def clear(self) -> None:
        """Forget every plan."""
        with self._lock:
            self._plans.clear()
            self._seen.clear()
            self._interpreted.clear()
        _runner.cache_clear()
        for cleared in self._watchers:
            cleared()


plans = Cache()
