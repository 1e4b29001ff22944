"""What a program on several ranks sends and computes, before it runs: messages, bytes and time of the user's lines."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from lazyarr import settings
from lazyarr.cost_model import DEFAULT, CostModel, gathers
from lazyarr.ir import extents
from lazyarr.ir.flat import gives
from lazyarr.ir.graph import Graph, Line, Program
from lazyarr.ir.layout import Grid, coordinates, default, length, sent
from lazyarr.ir.node import Node, Value
from lazyarr.ops import block_solve
from lazyarr.ops.comm import HALO
from lazyarr.ops.flight import HALO_START, HALO_WAIT
from lazyarr.ops.rearrange import as_layout
from lazyarr.passes.insert_communication import Local, decide
from lazyarr.passes.overlap_messages import hidden_seconds, overlap_messages, work_seconds
from lazyarr.passes.reorder import peak_memory
from lazyarr.tracing.explain_costs import declared, moves

#: Of matrices whose rows are split: the operation, and what it is called.
_FACTORIZED = {"solved_part": "solve", "cholesky_part": "cholesky", "determined_part": "determinant"}
_PRODUCTS = ("matmul", "einsum")
#: So many ranks are looked at one by one.
_FEW = 8
#: Work of less than this part of all of it is not listed.
_NEGLIGIBLE = 1e-3


@dataclass(frozen=True)
class Step:
    """One communication of a program, as one rank does it.

    Attributes
    ----------
    what : str
        ``halo``, ``exchange``, ``all_reduce``, ``turn``, ``reshape``, ``sort``, ``scatter``, ``gather``,
        ``solve`` or ``cholesky``.
    lines : tuple of (str, int)
        The user's lines that it is done for.
    times : int or None
        How often one call does it; None where data decides how often its loop runs.
    messages, bytes : int
        What the rank sends, each time; of a reduction its own part, once.
    ranks : int
        How many ranks reduce together; 0 for what is no reduction.
    gathered : bool
        Whether each of them gets all parts and combines them.
    hidden : float
        Seconds of it that go by while the rank computes, each time.
    """

    what: str
    lines: tuple[Line, ...]
    times: int | None
    messages: int
    bytes: int
    ranks: int = 0
    gathered: bool = False
    hidden: float = 0.0

    def seconds(self, model: CostModel) -> float:
        """Predicted time of all the times it is done; one where data decides how often."""
        if self.ranks:
            return _once(self.times) * model.all_reduce(self.bytes, self.ranks, self.gathered)
        return _once(self.times) * (model.sent(self.messages, self.bytes) - self.hidden)


@dataclass(frozen=True)
class Work:
    """What a rank computes for some lines.

    Attributes
    ----------
    lines : tuple of (str, int)
    times : int or None
        As of a `Step`.
    flops, product_flops : float
        Operations on elements, each time; those of matrix products.
    bytes : float
        Read from memory and written to it, each time, where what is element-wise is fused.
    """

    lines: tuple[Line, ...]
    times: int | None
    flops: float = 0.0
    product_flops: float = 0.0
    bytes: float = 0.0

    def seconds(self, model: CostModel) -> float:
        """Predicted time of all the times it is done; one where data decides how often."""
        return _once(self.times) * model.worked(self.flops, self.product_flops, self.bytes)


@dataclass(frozen=True)
class Plan:
    """What a program does on a grid of ranks.

    Attributes
    ----------
    grid : tuple of int
    model : CostModel
    steps : tuple of Step
        Communication in its order, each as the rank does it that sends most then.
    work : tuple of Work
        Of the rank that takes longest over it.
    messages, bytes : int
        What the rank that sends most sends in one call; loops of which data decides how often they run count once.
    seconds : float
        Predicted time of the slowest rank; communication and work one after the other, but for what overlaps.
    memory : int
        Bytes that a rank needs at most: its parts of the arguments, and what is alive at a time by the types.
    """

    grid: Grid
    model: CostModel
    steps: tuple[Step, ...]
    work: tuple[Work, ...]
    messages: int
    bytes: int
    seconds: float
    memory: int


def plan(
    program: Program, grid: Grid, least: int, gathered: Sequence[int] = (), model: CostModel = DEFAULT,
    middle: bool = True, overlap: str | None = None,
) -> Plan:  # fmt: skip
    """What a program does if its large parameters are split evenly.

    Parameters
    ----------
    program : Program
    grid : tuple of int
        Ranks along each dimension.
    least : int
        Elements from which on a parameter is split.
    gathered : sequence of int
        Results that every rank gets whole; others stay where they are.
    model : CostModel
    middle : bool
        Whether ranks in the middle of the grid are looked at too, beside the second ones, which are like them where
        all blocks are of one length.
    overlap : {"auto", "always", "never"}, optional
        As the setting of that name, which it is without it.
    """
    overlap = settings.current.overlap if overlap is None else overlap
    given = {
        p: default(p.type.shape, grid) for p in program.graph.params
        if not p.type.weak and p.type.shape and p.type.size >= least
    }  # fmt: skip
    decided = decide(program, grid, least, given, gathered, model)
    ranks: list[list[Step]] = []
    works: list[list[Work]] = []
    memory = 0
    for place in _representatives(grid, middle):
        local = decided.local(place)
        local = replace(local, program=overlap_messages(local.program, model, overlap))
        ranks.append(list(steps(local, grid, model)))
        works.append(list(work(local)))
        graph = local.program.graph
        held = sum(extents.bound(p.type.nbytes) for p in graph.params if p.type.shape)
        memory = max(memory, held + peak_memory(graph))
    most = tuple(max(same, key=lambda s: (s.bytes, s.messages)) for same in zip(*ranks, strict=True))

    def total(values: Iterable[Step | Work]) -> float:
        return sum(value.seconds(model) for value in values)

    return Plan(
        grid, model, most, tuple(max(works, key=total)),
        max(sum(_once(s.times) * s.messages for s in rank) for rank in ranks),
        max(sum(_once(s.times) * s.bytes for s in rank) for rank in ranks),
        max(total([*rank, *done]) for rank, done in zip(ranks, works, strict=True)),
        memory,
    )  # fmt: skip


def _once(times: int | None) -> int:
    return 1 if times is None else times


def _representatives(grid: Grid, middle: bool) -> Iterator[tuple[int, ...]]:
    """The first ranks, the middle and the last one along each dimension: others are like the middle one, or smaller.

    (All of few: what a reshape moves is another rank's for each, by how rows are cut.)
    """
    if middle and math.prod(grid) <= _FEW:
        return itertools.product(*map(range, grid))
    return itertools.product(*(sorted({0, min(1, n - 1), n // 2 if middle else 0, n - 1}) for n in grid))


def steps(local: Local, grid: Grid, model: CostModel) -> Iterator[Step]:
    """What a rank's program sends, in order."""
    for graph, times in _graphs(local.program.graph, 1):
        for node in graph.nodes:
            if node.op.communicates and node.op is not HALO_WAIT:
                lines = tuple(sorted(local.program.origins.get(node, ())))
                step = _step(node, partial(Step, lines=lines, times=times), grid)
                yield replace(step, hidden=_hidden(graph, node, model)) if node.op is HALO_START else step


def _hidden(graph: Graph, start: Node, model: CostModel) -> float:
    """Seconds of a halo's messages that go by while the rank does what stands before their wait."""
    (wait,) = (node for node in graph.nodes if node.op is HALO_WAIT and node.operands[0] == start.values[0])
    return hidden_seconds(start, sum(work_seconds(v.node, model) for v in wait.operands[2:]), model)


def _graphs(graph: Graph, times: int | None) -> Iterator[tuple[Graph, int | None]]:
    """A graph, then those of its loops and branches in order, and how often one call runs each."""
    yield graph, times
    for node in graph.nodes:
        for region in node.regions:
            yield from _graphs(region, _trips(node, times))


def _step(node: Node, step: partial[Step], grid: Grid) -> Step:
    name, kw = node.op.name, node.kw
    if name == "all_reduce":
        part = node.operands[0].type
        return step("all_reduce", messages=1, bytes=part.nbytes, ranks=math.prod(grid[dim] for dim in kw["dims"]),
                    gathered=gathers(kw["kind"], part.dtype, part.nbytes))  # fmt: skip
    if name == "turned_part":
        sizes = [length(part) for k, part in enumerate(kw["want"]) if k != kw["at"]]
        return step("turn", messages=len(sizes), bytes=_row(node.operands[0], kw["other"]) * sum(sizes))
    if name == "sorted_part":
        # (Data decides; of evenly spread values most of a part goes to others, and some of that once more.)
        return step("sort", messages=4 * (len(kw["have"]) - 1), bytes=node.operands[0].type.nbytes)
    if name in _FACTORIZED:
        what, x = _FACTORIZED[name], node.operands[0].type
        right = node.operands[1].type.size // max(x.shape[0], 1) if what == "solve" else None
        messages, elements = block_solve.sent(x.shape[1], right, kw["have"], kw["at"], what != "cholesky")
        return step(what, messages=messages, bytes=elements * x.dtype.itemsize)
    if name in ("scattered_part", "picked_part"):
        # (Data decides; of evenly spread indices most are another rank's.)
        others = len(kw["have"]) - 1
        moved = sum(v.type.nbytes for v in node.operands[1:-1])
        moved += node.types[0].nbytes if name == "picked_part" else 0
        rounds = 2 + (name == "picked_part") if kw.get("own", True) else 1
        return step("scatter" if name == "scattered_part" else "gather", messages=rounds * others,
                    bytes=moved * others // (others + 1))  # fmt: skip
    if name == "rearranged_part":
        before, after = kw["before"], kw["shape"]
        have, want = as_layout(kw["have"], len(before)), as_layout(kw["want"], len(after))
        pieces = gives(before, have, after, want, grid, kw["at"])
        moved = [p.count for p in pieces if coordinates(p.rank, grid) != kw["at"]]
        return step("reshape", messages=len(moved), bytes=sum(moved) * node.operands[0].type.dtype.itemsize)
    to: dict[int, int] = {}
    parts = kw["parts"] if node.op in (HALO, HALO_START) else ((kw["axis"], kw["base"], kw["have"], kw["want"]),)
    for value, (axis, _, have, want) in zip(node.operands, parts, strict=False):
        for k, wanted in sent(kw["at"], have, want):
            to[k] = to.get(k, 0) + _row(value, axis) * length(wanted)
    return step(name.removesuffix("_start"), messages=len(to), bytes=sum(to.values()))


def _row(x: Value, axis: int) -> int:
    """Bytes of what is sent of an array for one index of an axis."""
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


def work(local: Local) -> Iterator[Work]:
    """What a rank computes, by the user's lines (of a branch, both ways)."""
    for graph, times in _graphs(local.program.graph, 1):
        sources = _sources(graph, local.program.origins)
        found: dict[tuple[Line, ...], Work] = {}
        read: dict[Value, float] = {}
        for node, base, moved in moves(graph, {}):
            if base is not None:
                if node.op.communicates:
                    continue
                # (Of what is read, once as a whole.)
                before = read.get(base, 0.0)
                read[base] = min(before + moved, extents.number(base.type.nbytes))
                moved = read[base] - before
            _count(found, sources, node, bytes=moved)
        for node in graph.nodes:
            if not node.op.communicates and not any(True for _ in node.regions):
                flops, _ = declared(node, {})
                _count(found, sources, node, **{"product_flops" if node.op.name in _PRODUCTS else "flops": flops})
        for lines, done in found.items():
            if done.flops or done.product_flops or done.bytes:
                yield replace(done, lines=lines, times=times)


def _sources(graph: Graph, origins: Mapping[Node, frozenset[Line]]) -> dict[Node, frozenset[Line]]:
    """The user's lines of a graph's nodes; what was made for others' sake has theirs: of its readers, or operands."""
    found = {node: origins.get(node) or frozenset(node.lines) for node in graph.nodes}
    for nodes in (graph.nodes[::-1], graph.nodes):
        readers: dict[Node, frozenset[Line]] = {}
        for node in graph.nodes:
            for value in node.operands:
                readers[value.node] = readers.get(value.node, frozenset()) | found[node]
        for node in nodes:
            if not found[node]:
                above = frozenset().union(*(found.get(v.node, frozenset()) for v in node.operands))
                found[node] = readers.get(node) or above
                for value in node.operands:
                    readers[value.node] = readers.get(value.node, frozenset()) | found[node]
    return found


def _count(
    found: dict[tuple[Line, ...], Work], sources: Mapping[Node, frozenset[Line]], node: Node, **more: float
) -> None:  # fmt: skip
    lines = tuple(sorted(sources.get(node, ())))
    known = found.get(lines, Work((), None))
    found[lines] = replace(known, **{name: getattr(known, name) + value for name, value in more.items()})


def show_seconds(seconds: float) -> str:
    """``0 s``, ``3.20 us``, ``41.0 ms``, ``12.0 s``."""
    for scale, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if seconds >= scale * 0.9995:
            return f"{seconds / scale:#.3g} {unit}".replace(". ", " ") if seconds < 1000 else f"{seconds:.0f} s"
    return f"{seconds * 1e6:.3g} us" if seconds else "0 s"


def report(found: Plan) -> list[str]:
    """The lines that show a plan."""
    from lazyarr.tracing.explain_text import show_bytes, show_count, show_sources, table

    ranks, model = math.prod(found.grid), found.model
    worked = sum(w.seconds(model) for w in found.work)
    hidden = sum(_once(s.times) * s.hidden for s in found.steps)
    beside = "messages and work do not overlap"
    if hidden:
        beside = f"{show_seconds(hidden)} of messages go by during it"
    lines = [
        f"communication on {ranks} ranks ({' x '.join(map(str, found.grid))}), arrays split evenly before the call",
        f"  a rank sends at most {show_count(found.messages)} messages, {show_bytes(found.bytes)} a call, and needs at "
        f"most {show_bytes(found.memory)} of memory",
        f"  predicted time: {show_seconds(found.seconds)}, {show_seconds(worked)} of it work ({beside})",
    ]
    rows: list[Sequence[str]] = [("", "times", "messages", "bytes", "overlap", "memory traffic", "time", "source")]
    shown: list[tuple[Any, ...]] = [
        (s.what, s.times, str(s.messages), show_bytes(s.bytes),
         show_seconds(_once(s.times) * s.hidden) if s.hidden else "", "", s.seconds(model), s.lines)
        for s in found.steps
    ] + [
        ("work", w.times, "", "", "", show_bytes(round(w.bytes)), w.seconds(model), w.lines) for w in found.work
        if w.seconds(model) >= _NEGLIGIBLE * worked
    ]  # fmt: skip
    rows += [
        (what, "by data" if times is None else f"{times}x", *sizes, show_seconds(seconds), show_sources(at))
        for what, times, *sizes, seconds, at in shown
    ]
    sides = "<>>>>>><"
    if not hidden:
        at = rows[0].index("overlap")
        rows, sides = [(*row[:at], *row[at + 1 :]) for row in rows], sides[:at] + sides[at + 1 :]
    if shown:
        lines += ["  " + line for line in table(rows, sides)]
        lines.append("  messages, bytes, memory traffic: each time; "
                     f"{'overlap, ' if hidden else ''}time: all the times together")  # fmt: skip
    if any(times is None for _, times, *_ in shown):
        lines.append("  by data: only the data knows how often; one time is counted")
    lines.append(f"  times rest on {model.rests_on}")
    return lines


#: Units of a budget: of bytes, and of seconds.
_UNITS = {"": 1.0, "B": 1.0, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KIB": 2.0**10, "MIB": 2.0**20, "GIB": 2.0**30}
_SECONDS = {"": 1.0, "S": 1.0, "MS": 1e-3, "US": 1e-6}


def over_budget(found: Plan, budget: str) -> list[str]:
    """What exceeds a budget such as ``messages<=4,bytes<=64KiB,memory<=1GiB,time<=2ms``, in words.

    Raises
    ------
    ValueError
        If the text is no budget.
    """
    exceeded = []
    for part in budget.split(","):
        match = re.fullmatch(r"\s*(messages|bytes|memory|time)\s*<=\s*(\d+\.?\d*|\.\d+)\s*([A-Za-z]*)\s*", part)
        units = {} if match is None else _SECONDS if match[1] == "time" else _UNITS
        if match is None or match[3].upper() not in units:
            raise ValueError(
                f"{part!r} is no limit; expected messages<=N, bytes<=N or memory<=N, with B, KiB, MB, ..., or time<=N, "
                "with s, ms, us"
            )
        limit = float(match[2]) * units[match[3].upper()]
        have = found.seconds if match[1] == "time" else getattr(found, match[1])
        if have > limit:
            shown = show_seconds(have) if match[1] == "time" else have
            exceeded.append(f"{match[1]}: {shown} is more than {match[2]}{match[3]}")
    return exceeded
