"""Schedules: which regions a plan runs, on what and in which order; those of native code are kept between processes.

What is kept says all that passes and lowering found out about a graph, so that neither is needed to run it again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from lazyarr import disk
from lazyarr.ir.graph import Check, Graph
from lazyarr.ir.node import Value
from lazyarr.ops.create import const

_KIND = "plan"
#: A condition of which only the message is known.
NOWHERE = const(True)


@dataclass(frozen=True)
class Step:
    """A region that runs.

    Attributes
    ----------
    backend : str
    donate : tuple of int
        Its parameters that it may write into.
    operands : tuple of int
        Values are numbered: the parameters of the plan, then the results of each step.
    dead : tuple of int
        Values that nobody reads afterwards.
    """

    backend: str
    donate: tuple[int, ...]
    operands: tuple[int, ...]
    dead: tuple[int, ...]


@dataclass(frozen=True)
class Schedule:
    """What a plan does.

    Attributes
    ----------
    params : int
        How many parameters there are.
    steps : tuple of Step
    roots : tuple of int
        Values that are results, and conditions of checks.
    checks : tuple of Check
    """

    params: int
    steps: tuple[Step, ...]
    roots: tuple[int, ...]
    checks: tuple[Check, ...]

    @classmethod
    def of(cls, graph: Graph, donated: Sequence[tuple[int, ...]]) -> Schedule:
        """Of a graph of regions; `donated` says for each which of its parameters it may write into."""
        from lazyarr.backends.numpy import last_uses

        numbers: dict[Value, int] = {value: k for k, value in enumerate(graph.params)}
        for node in graph.nodes:
            for value in node.values:
                numbers[value] = len(numbers)
        dead = last_uses(graph)
        steps = [
            Step(node.kw["backend"], donate, tuple(numbers[v] for v in node.operands),
                 tuple(numbers[v] for v in dead.get(node, ())))
            for node, donate in zip(graph.nodes, donated, strict=True)
        ]  # fmt: skip
        return cls(len(graph.params), tuple(steps), tuple(numbers[v] for v in graph.roots), graph.checks)


def key(graph: Graph, replaced: Sequence[int], compiler: str) -> str:
    """The key of a plan on disk; empty if it is not to be kept."""
    if compiler != "native" or disk.folder() is None:
        return ""
    from lazyarr.backends import native_kept, native_threads

    text = native_kept.text(graph)
    if not text or not native_kept.world():
        return ""
    return disk.digest(_KIND, native_kept.world(), str(native_threads.threads()), str(tuple(replaced)), text)


def load(key: str) -> tuple[Schedule, list[str]] | None:
    """What was kept under a key: the schedule, and the source of each step as `store` got it."""
    found = disk.get(_KIND, key)
    if found is None:
        return None
    kept = json.loads(found)
    steps = tuple(Step(backend, *map(tuple, rest)) for backend, *rest in kept["steps"])
    checks = tuple(Check(NOWHERE, exception, message) for exception, message in kept["checks"])
    sources = [kept["sources"][k] for k in kept["which"]]
    return Schedule(kept["params"], steps, tuple(kept["roots"]), checks), sources


def store(key: str, schedule: Schedule, sources: Sequence[str]) -> None:
    """Keep a schedule, and for each step what finds or makes its code again."""
    distinct = list(dict.fromkeys(sources))
    place = {source: k for k, source in enumerate(distinct)}
    steps = [(step.backend, step.donate, step.operands, step.dead) for step in schedule.steps]
    disk.put(_KIND, key, json.dumps({
        "params": schedule.params, "steps": steps, "roots": schedule.roots, "sources": distinct,
        "which": [place[source] for source in sources],
        "checks": [(check.exception, check.message) for check in schedule.checks],
    }).encode())  # fmt: skip
