"""What a program on several ranks would send, before it runs: messages and bytes of each of the user's lines."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from lazyarr.ir.graph import Graph, Line, Program
from lazyarr.ir.layout import Grid, default, length, sent
from lazyarr.ir.node import Node, Value
from lazyarr.passes.insert_communication import Local, insert_communication
from lazyarr.passes.reorder import peak_memory


@dataclass(frozen=True)
class Step:
    """One communication of a program, as one rank does it.

    Attributes
    ----------
    what : str
        ``halo``, ``exchange``, ``all_reduce``, ``turn`` or ``sort``.
    lines : tuple of (str, int)
        The user's lines that it is done for.
    times : int or None
        How often one call does it; None where data decides how often its loop runs.
    messages, bytes : int
        What the rank sends, each time; of a reduction its own part, once.
    """

    what: str
    lines: tuple[Line, ...]
    times: int | None
    messages: int
    bytes: int


@dataclass(frozen=True)
class Plan:
    """The communication of a program on a grid of ranks.

    Attributes
    ----------
    grid : tuple of int
    steps : tuple of Step
        In their order, each as the rank does it that sends most then.
    messages, bytes : int
        What the rank that sends most sends in one call; loops of which data decides how often they run count once.
    memory : int
        Bytes that a rank needs at most, by the types of what is alive at a time.
    """

    grid: Grid
    steps: tuple[Step, ...]
    messages: int
    bytes: int
    memory: int


def plan(program: Program, grid: Grid, least: int, gathered: Sequence[int] = ()) -> Plan:
    """What a program sends if its large parameters are split evenly.

    Parameters
    ----------
    program : Program
    grid : tuple of int
        Ranks along each dimension.
    least : int
        Elements from which on a parameter is split.
    gathered : sequence of int
        Results that every rank gets whole; others stay where they are.
    """
    given = {
        p: default(p.type.shape, grid) for p in program.graph.params
        if not p.type.weak and p.type.shape and p.type.size >= least
    }  # fmt: skip
    ranks: list[list[Step]] = []
    memory = 0
    for place in _representatives(grid):
        local = insert_communication(program, grid, place, least, given, gathered)
        ranks.append(list(steps(local, place)))
        memory = max(memory, peak_memory(local.program.graph))
    most = tuple(max(same, key=lambda s: (s.bytes, s.messages)) for same in zip(*ranks, strict=True))
    totals = [
        (sum(_once(s) * s.messages for s in rank), sum(_once(s) * s.bytes for s in rank)) for rank in ranks
    ]
    return Plan(grid, most, max(m for m, _ in totals), max(b for _, b in totals), memory)


def _once(step: Step) -> int:
    return 1 if step.times is None else step.times


def _representatives(grid: Grid) -> Iterator[tuple[int, ...]]:
    """The first, the middle and the last rank along each dimension: others are like the middle one, or smaller."""
    return itertools.product(*(sorted({0, min(1, n - 1), n // 2, n - 1}) for n in grid))


def steps(local: Local, place: tuple[int, ...]) -> Iterator[Step]:
    """What a rank's program sends, in order."""
    yield from _steps(local.program.graph, local.program.origins, place, 1)


def _steps(
    graph: Graph, origins: Mapping[Node, frozenset[Line]], place: tuple[int, ...], times: int | None
) -> Iterator[Step]:
    for node in graph.nodes:
        name, kw = node.op.name, node.kw
        step = partial(Step, lines=tuple(sorted(origins.get(node, ()))), times=times)
        if name in ("halo", "exchange"):
            sizes = [length(part) for _, part in sent(kw["at"], kw["have"], kw["want"])]
            yield step(name, messages=len(sizes), bytes=_row(node, kw["axis"]) * sum(sizes))
        elif name == "all_reduce":
            yield step(name, messages=1, bytes=node.operands[0].type.nbytes)
        elif name == "turned_part":
            sizes = [length(part) for k, part in enumerate(kw["want"]) if k != kw["at"]]
            yield step("turn", messages=len(sizes), bytes=_row(node, kw["other"]) * sum(sizes))
        elif name == "sorted_part":
            # (Data decides; of evenly spread values most of a part goes to others, and some of that once more.)
            yield step("sort", messages=4 * (len(kw["have"]) - 1), bytes=node.operands[0].type.nbytes)
        for region in node.regions:
            yield from _steps(region, origins, place, _trips(node, times))


def _row(node: Node, axis: int) -> int:
    """Bytes of what is sent for one index of an axis."""
    x: Value = node.operands[0]
    return int(x.type.nbytes) // max(int(x.type.shape[axis]), 1)


def _trips(node: Node, times: int | None) -> int | None:
    """How often the graph of a node runs."""
    if node.op.name == "loop" and times is not None:
        bounds = [v.node.kw["value"].value.item() for v in node.operands[:3] if v.node.op.name == "const"]
        if len(bounds) == 3 and node.kw["until"] < 0:
            return times * len(range(*bounds))
    if node.op.name == "cond":
        return times
    return None


def report(found: Plan) -> list[str]:
    """The lines that show a plan."""
    from lazyarr.tracing.explain_text import show_bytes, show_count, show_sources, table

    ranks = math.prod(found.grid)
    lines = [
        f"communication on {ranks} ranks ({' x '.join(map(str, found.grid))}), arrays split evenly before the call",
        f"  a rank sends at most {show_count(found.messages)} messages, {show_bytes(found.bytes)} a call, and needs at "
        f"most {show_bytes(found.memory)} of memory",
    ]
    if found.steps:
        rows = [("", "times", "messages", "bytes", "source")]
        rows += [
            (s.what, "by data" if s.times is None else f"{s.times}x", str(s.messages), show_bytes(s.bytes),
             show_sources(s.lines))
            for s in found.steps
        ]  # fmt: skip
        lines += ["  " + line for line in table(rows, "<>>><")]
    if any(step.times is None for step in found.steps):
        lines.append("  by data: only the data knows how often; one time is counted")
    return lines


#: Units of a budget, in bytes.
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def over_budget(found: Plan, budget: str) -> list[str]:
    """What exceeds a budget such as ``messages<=4,bytes<=64KiB,memory<=1GiB``, in words.

    Raises
    ------
    ValueError
        If the text is no budget.
    """
    exceeded = []
    for part in budget.split(","):
        match = re.fullmatch(r"\s*(messages|bytes|memory)\s*<=\s*([0-9.]+)\s*([A-Za-z]*)\s*", part)
        if match is None or match[3].upper() not in _UNITS:
            raise ValueError(f"{part!r} is no limit; expected messages<=N, bytes<=N or memory<=N, with B, KiB, MB, ...")
        limit = float(match[2]) * _UNITS[match[3].upper()]
        have = getattr(found, match[1])
        if have > limit:
            exceeded.append(f"{match[1]}: {have} is more than {match[2]}{match[3]}")
    return exceeded
