"""deepen_halos: several iterations of a loop for each exchange of what stands beside a rank's block.

``loop(0, n) {u = f(u)} -> loop(0, n // k) {loop(0, k) {u = f(u)}}; loop(n // k * k, n) {u = f(u)}``: what is wanted of
`u` reaches `k` times as far beyond the block, and comes in one exchange. The inner loop is like a single rank's: the
same statements on the same rows in each iteration, what is beyond the block computed again (`choose_ranges.repeated`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from lazyarr.cost_model import CostModel
from lazyarr.ir.graph import Check, Graph, Program, param
from lazyarr.ir.layout import hull, is_whole, length
from lazyarr.ir.node import Node, Value, apply, make
from lazyarr.ir.op import lookup
from lazyarr.ops.create import const
from lazyarr.passes.choose_ranges import Wanted, beside, repeated

#: Messages of an exchange, to both sides; how often an element goes through memory in an iteration.
_MESSAGES, _MOVES = 2, 2
#: The most iterations for one exchange; at least so many where blocks are long, for they are then one pass over memory.
MOST, LEAST = 16, 4
#: Which part of a block may be computed again on one side; and which part costs so little that it need not pay.
_PART, _LITTLE = 8, 60


def depths(graph: Graph, wanted: Wanted, model: CostModel) -> dict[Node, int]:
    """How many iterations of each loop of a graph go with one exchange, where more than one do."""
    found = {}
    for node in graph.nodes:
        if node.op.name == "loop" and node.kw["until"] < 0 and (node, "body") in wanted.inner:
            inner = wanted.inner[node, "body"]
            depth = min(_depth(inner, model), _trips(node))
            own = [wanted.layouts.of[v] for v in node.values]
            body = node.kw["body"]
            if depth > 1 and _safe(body, inner) and repeated(body, inner.layouts, own, depth) is not None:
                found[node] = depth
    return found


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


def _depth(inner: Wanted, model: CostModel) -> int:
    """By how much more work costs than messages: ``k`` iterations compute about ``k * reach`` rows again each."""
    best = MOST
    reached = False
    for value, axis in inner.groups:
        split = inner.layouts.of[value][axis]
        groups = inner.groups[value, axis]
        if not groups:
            continue
        if value not in inner.stored or split is None or not all(beside(split.ranges, g) for g in groups):
            return 1  # Something else is exchanged in an iteration as well.
        reached = True
        reach = max(length(hull(a, b)) - length(a) for g in groups for a, b in zip(split.ranges, g, strict=True))
        block = min(length(r) for r in split.ranges)
        row = math.prod(
            n if other is None else max(map(length, other.ranges))
            for k, (n, other) in enumerate(zip(value.type.shape, inner.layouts.of[value], strict=True)) if k != axis
        )
        again = reach * row * _MOVES * value.type.dtype.itemsize / model.memory_bandwidth
        wish = math.sqrt(_MESSAGES * model.latency / again)
        best = min(best, max(round(wish), LEAST, block // (_LITTLE * reach)), block // (_PART * reach))
    return max(best, 1) if reached and not inner.layouts.reduced else 1


def deepen_halos(program: Program, depth: Mapping[Node, int]) -> tuple[Program, dict[Node, int]]:
    """The program with an exchange for so many iterations of loops; and the loops of so many iterations in it."""
    graph = program.graph
    origins = dict(program.origins)
    deep: dict[Node, int] = {}
    new: dict[Value, Value] = {p: p for p in graph.params}
    for node in graph.nodes:
        made = make(node.op, tuple(new[v] for v in node.operands), node.attrs)
        inner: dict[Node, int] = {}
        if node in depth:
            made, inner = _deeper(made, depth[node])
            deep |= inner
        lines = program.origins.get(node)
        if lines:
            for credited in (made, *inner):
                origins[credited] = origins.get(credited, frozenset()) | lines
        new.update(zip(node.values, made.values, strict=True))
    checks = [Check(new[c.ok], c.exception, c.message) for c in graph.checks]
    return Program(Graph(graph.params, [new[v] for v in graph.results], checks), origins), deep


def _deeper(node: Node, depth: int) -> tuple[Node, dict[Node, int]]:
    start, stop, step, *rest = node.operands
    one, size = const(1, start.type.dtype), const(depth, start.type.dtype)
    zero = const(0, start.type.dtype)
    # range(start, stop, step) has this many members where the step goes upwards; else the loop stays as it is.
    if step != one:
        return node, {}
    trips = _op("maximum", _op("subtract", stop, start), zero)
    rounds = _op("floor_divide", trips, size)
    body: Graph = node.kw["body"]
    index, *given = (param(k, p.type) for k, p in enumerate(body.params))
    # The start is one more constant: indices count on from it.
    begin = param(1 + len(given), start.type)
    first = _op("add", begin, _op("multiply", index, size))
    counted = _counted(body)
    inner = make(
        node.op, (zero, size, one, *given, *([first] if counted is not body else [])),
        tuple(sorted((dict(node.attrs) | {"body": counted}).items())),
    )  # fmt: skip
    inner.lines |= node.lines
    whole = Graph([index, *given, begin], list(inner.values))
    attrs = tuple(sorted((dict(node.attrs) | {"body": whole}).items()))
    outer = make(node.op, (zero, rounds, one, *rest, start), attrs)
    if _op("remainder", trips, size) == zero:
        return outer, {inner: depth}
    after = _op("add", start, _op("multiply", rounds, size))
    carried = node.kw["carried"]
    return make(node.op, (after, stop, one, *outer.values, *rest[carried:]), node.attrs), {inner: depth}


def _counted(body: Graph) -> Graph:
    """A loop's body for indices that count from 0: where they begin is one more constant, if anybody asks."""
    index = body.params[0]
    used = {v for node in body.nodes for v in node.operands} | set(body.results) | {c.ok for c in body.checks}
    if index not in used:
        return body
    params = [param(k, p.type) for k, p in enumerate(body.params)]
    begin = param(len(params), index.type)
    places = dict(zip(body.params, (_op("add", begin, params[0]), *params[1:]), strict=True))
    for inside in body.nodes:
        new = make(inside.op, tuple(places.get(v, v) for v in inside.operands), inside.attrs)
        new.lines |= inside.lines
        places.update(zip(inside.values, new.values, strict=True))
    checks = [Check(places.get(c.ok, c.ok), c.exception, c.message) for c in body.checks]
    return Graph([*params, begin], [places.get(v, v) for v in body.results], checks)


def _op(name: str, *operands: Value) -> Value:
    """An operation on whole numbers; of constants, a constant."""
    known = [v.node.kw["value"].value for v in operands if v.node.op.name == "const"]
    if len(known) == len(operands):
        return const(getattr(np, name)(*known), operands[0].type.dtype)
    return apply(lookup(name), *operands)
