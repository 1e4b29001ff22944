"""deepen_halos: several iterations of a loop for each exchange of what stands beside a rank's block.

``loop(0, n) {u = f(u)} -> loop(0, n // k) {loop(0, k) {u = f(u)}}; loop(n // k * k, n) {u = f(u)}``: what is wanted of
`u` reaches `k` times as far beyond the block, and comes in one exchange. The inner loop is like a single rank's: the
same statements on the same rows in each iteration, what is beyond the block computed again (`choose_ranges.repeated`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lazyarr.cost_model import CostModel
from lazyarr.ir.graph import Check, Graph, Program, param
from lazyarr.ir.layout import hull, is_whole, length
from lazyarr.ir.node import Node, Value, make
from lazyarr.ops.create import const
from lazyarr.passes.build import counted
from lazyarr.passes.choose_ranges import Wanted, beside, repeated
from lazyarr.passes.extend_periodic import Extended, Periodic, find
from lazyarr.passes.separate_reductions import Rounds, Separated
from lazyarr.passes.separate_reductions import find as separate

#: Messages of an exchange, to both sides; how often an element goes through memory in an iteration.
_MESSAGES, _MOVES = 2, 2
#: The most iterations for one exchange; at least so many where blocks are long, for they are then one pass over memory.
MOST, LEAST = 16, 4
#: Which part of a block may be computed again on one side; and which part costs so little that it need not pay.
_PART, _LITTLE = 8, 60


@dataclass(frozen=True)
class Deepening:
    """How many iterations of a loop go with one exchange.

    Attributes
    ----------
    depth : int
    extended : Extended, optional
        Of loops that are periodic along an axis that is split: the form in which they are not.
    separated : Separated, optional
        Of loops with reductions, or that data ends: their arrays and numbers apart.
    """

    depth: int
    extended: Extended | None = None
    separated: Separated | None = None


def depths(graph: Graph, wanted: Wanted, model: CostModel) -> dict[Node, Deepening]:
    """How many iterations of each loop of a graph go with one exchange, where more than one do."""
    found = {}
    for node in graph.nodes:
        if node.op.name in ("loop", "while") and (node, "body") in wanted.inner and _steps_by_one(node):
            deepening = _deepening(node, wanted, model)
            if deepening is not None:
                found[node] = deepening
    return found


def _deepening(node: Node, wanted: Wanted, model: CostModel) -> Deepening | None:
    inner, body = wanted.inner[node, "body"], node.kw["body"]
    if inner.layouts.across or any(w.gathered for w in (inner, *inner.inner.values())):
        return None
    if inner.layouts.reduced or node.op.name == "while" or node.kw["until"] >= 0:
        separated = separate(node, wanted.layouts)
        depth = min(
            _depth(inner, model) if any(inner.groups.values()) else MOST,
            MOST if node.op.name == "while" else _trips(node),
        )
        if separated is None or depth <= 1 or not _pays(separated, inner, depth, model):
            return None
        return Deepening(depth, None, separated)
    if not _safe(body, inner):
        return None
    most = _trips(node)
    depth = min(_depth(inner, model), most)
    own = [wanted.layouts.of[v] for v in node.values]
    if depth > 1 and repeated(body, inner.layouts, own, depth) is not None:
        return Deepening(depth)
    periodic = find(body, node.kw["carried"], inner.layouts)
    if periodic is None:
        return None
    depth = min(_depth(inner, model, periodic), _periodic_depth(periodic, inner, model), most)
    return Deepening(depth, Extended.by(periodic, depth)) if depth > 1 else None


def _pays(separated: Separated, inner: Wanted, depth: int, model: CostModel) -> bool:
    """Whether what a round does not wait for is more than the copy of the arrays that it begins with."""
    if not separated.by_data:
        return True
    exchanges = _MESSAGES if any(inner.groups.values()) else 0
    saved = (depth - 1) * (exchanges * model.latency + len(separated.reduced) * model.reduction)
    copied = 0
    for k in separated.arrays:
        value = separated.body.params[separated.lead + k]
        splits = zip(value.type.shape, inner.layouts.of[value], strict=True)
        elements = math.prod(n if s is None else max(map(length, s.ranges)) for n, s in splits)
        copied += elements * value.type.dtype.itemsize
    return saved > _MOVES * copied / model.memory_bandwidth


def _steps_by_one(node: Node) -> bool:
    if node.op.name == "while":
        return True
    step = node.operands[2]
    return step == const(1, step.type.dtype)


def _safe(body: Graph, inner: Wanted) -> bool:
    """Whether no check looks at arrays: beyond the block there may be anything."""
    arrays = {v for v, layout in inner.layouts.of.items() if not is_whole(layout)}
    for node in body.nodes:
        if any(v in arrays for v in node.operands):
            arrays.update(node.values)
            if any(graph.checks for graph in node.regions):
                return False
    return not any(check.ok in arrays for check in body.checks)


def _trips(node: Node) -> int:
    """How often a loop runs, where that is known; otherwise as often as anybody asks."""
    bounds = [v.node.kw["value"].value.item() for v in node.operands[:3] if v.node.op.name == "const"]
    return len(range(*bounds)) if len(bounds) == 3 else MOST


def _depth(inner: Wanted, model: CostModel, periodic: Periodic | None = None) -> int:
    """By how much more work costs than messages: ``k`` iterations compute about ``k * reach`` rows again each.

    Along the dimensions of `periodic`, if there is one, nothing is exchanged in an iteration.
    """
    best = MOST
    reached = periodic is not None
    for value, axis in inner.groups:
        split = inner.layouts.of[value][axis]
        groups = inner.groups[value, axis]
        if not groups or (periodic is not None and split is not None and split.dim in periodic.periods):
            continue
        if value not in inner.stored or split is None or not all(beside(split.ranges, g) for g in groups):
            return 1  # Something else is exchanged in an iteration as well.
        reached = True
        reach = max(length(hull(a, b)) - length(a) for g in groups for a, b in zip(split.ranges, g, strict=True))
        best = min(best, _worth(value, axis, inner, reach, model))
    return max(best, 1) if reached else 1


def _worth(value: Value, axis: int, inner: Wanted, reach: int, model: CostModel) -> int:
    """How many iterations share an exchange of an array, if each makes so many rows of both sides worthless."""
    layout = inner.layouts.of[value]
    split = layout[axis]
    assert split is not None
    block = min(length(r) for r in split.ranges)
    row = math.prod(
        n if other is None else max(map(length, other.ranges))
        for k, (n, other) in enumerate(zip(value.type.shape, layout, strict=True)) if k != axis
    )
    again = reach * row * _MOVES * value.type.dtype.itemsize / model.memory_bandwidth
    wish = math.sqrt(_MESSAGES * model.latency / again)
    return min(MOST, max(round(wish), LEAST, block // (_LITTLE * reach)), block // (_PART * reach))


def _periodic_depth(periodic: Periodic, inner: Wanted, model: CostModel) -> int:
    """As `_depth`, of a loop whose arrays go round."""
    best = 0
    for number, lines in periodic.arrays.items():
        value = periodic.graph.params[1 + number]
        for axis, dim in lines.items():
            reach = sum(periodic.reach[dim])
            if reach and number < periodic.carried:
                worth = _worth(value, axis, inner, reach, model)
                best = min(best, worth) if best else worth
    return best


def deepen_halos(program: Program, plans: Mapping[Node, Deepening]) -> tuple[Program, dict[Node, dict[Node, int]]]:
    """The program with an exchange for so many iterations of loops.

    Returns
    -------
    Program
    dict of Node to dict of Node to int
        For each of the loops those of so many iterations that it has become.
    """
    graph = program.graph
    origins = dict(program.origins)
    deep: dict[Node, dict[Node, int]] = {}
    new: dict[Value, Value] = {p: p for p in graph.params}
    for node in graph.nodes:
        made = make(node.op, tuple(new[v] for v in node.operands), node.attrs)
        values: Sequence[Value] = made.values
        inner: dict[Node, int] = {}
        if node in plans:
            values, inner = _deeper(made, plans[node])
            deep[node] = inner
        lines = program.origins.get(node)
        if lines:
            for credited in (*(v.node for v in values), *inner):
                origins[credited] = origins.get(credited, frozenset()) | lines
        new.update(zip(node.values, values, strict=True))
    checks = [Check(new[c.ok], c.exception, c.message) for c in graph.checks]
    return Program(Graph(graph.params, [new[v] for v in graph.results], checks), origins), deep


def _deeper(node: Node, plan: Deepening) -> tuple[Sequence[Value], dict[Node, int]]:
    """What a loop gives, and the loops of so many iterations that it has become."""
    if plan.separated is not None:
        apart = Rounds(replace(plan.separated, node=node), plan.depth)
        return apart.values(), apart.deep
    start, stop, _, *rest = node.operands
    carried, depth, extended = node.kw["carried"], plan.depth, plan.extended
    one, size, zero = (const(n, start.type.dtype) for n in (1, depth, 0))
    trips = counted("maximum", counted("subtract", stop, start), zero)
    rounds, left = counted("floor_divide", trips, size), counted("remainder", trips, size)
    body: Graph = node.kw["body"] if extended is None else extended.body()
    if extended is not None:
        rest = [extended.extended(k, v, wrapped=k >= carried) for k, v in enumerate(rest)]
    own = _counted(body)
    attrs = tuple(sorted((dict(node.attrs) | {"body": own}).items()))
    deep: dict[Node, int] = {}

    def several(times: Value, given: Sequence[Value], first: Value) -> Sequence[Value]:
        """So many iterations from index `first` on."""
        if extended is not None:
            given = [extended.refreshed(k, v) if k < carried else v for k, v in enumerate(given)]
        made = make(node.op, (zero, times, one, *given, *([first] if own is not body else [])), attrs)
        made.lines |= node.lines
        deep[made] = depth
        return made.values

    values: Sequence[Value] = rest[:carried]
    if rounds != zero:
        index, *given = (param(k, p.type) for k, p in enumerate(body.params))
        # The start is one more constant: indices count on from it.
        begin = param(1 + len(given), start.type)
        results = several(size, given, counted("add", begin, counted("multiply", index, size)))
        whole = Graph([index, *given, begin], list(results))
        outer = make(node.op, (zero, rounds, one, *rest, start),
                     tuple(sorted((dict(node.attrs) | {"body": whole}).items())))  # fmt: skip
        outer.lines |= node.lines
        values = outer.values
    if left != zero:
        values = several(left, [*values, *rest[carried:]], counted("add", start, counted("multiply", rounds, size)))
    return values if extended is None else [extended.own(k, v) for k, v in enumerate(values)], deep


def _counted(body: Graph) -> Graph:
    """A loop's body for indices that count from 0: where they begin is one more constant, if anybody asks."""
    index = body.params[0]
    used = {v for node in body.nodes for v in node.operands} | set(body.results) | {c.ok for c in body.checks}
    if index not in used:
        return body
    params = [param(k, p.type) for k, p in enumerate(body.params)]
    begin = param(len(params), index.type)
    places = dict(zip(body.params, (counted("add", begin, params[0]), *params[1:]), strict=True))
    for inside in body.nodes:
        new = make(inside.op, tuple(places.get(v, v) for v in inside.operands), inside.attrs)
        new.lines |= inside.lines
        places.update(zip(inside.values, new.values, strict=True))
    checks = [Check(places.get(c.ok, c.ok), c.exception, c.message) for c in body.checks]
    return Graph([*params, begin], [places.get(v, v) for v in body.results], checks)
