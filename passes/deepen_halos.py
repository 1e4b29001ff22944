"""deepen_halos: several iterations of a loop for each exchange of what stands beside a rank's block.

``loop(0, n) {u = f(u)} -> loop(0, n // k) {u = f(...f(f(u)))}; loop(n // k * k, n) {u = f(u)}``: what is wanted of `u`
then reaches `k` times as far beyond the block, comes in one exchange, and the values in between are computed there too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from lazyarr.cost_model import CostModel
from lazyarr.ir.graph import Check, Graph, Program, param
from lazyarr.ir.layout import hull, length
from lazyarr.ir.node import Node, Value, apply, make
from lazyarr.ir.op import lookup
from lazyarr.ops.create import const
from lazyarr.passes.choose_ranges import Wanted, beside

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
            depth = min(_depth(wanted.inner[node, "body"], model), _trips(node))
            if depth > 1:
                found[node] = depth
    return found


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


def deepen_halos(program: Program, depth: Mapping[Node, int]) -> Program:
    """The program with loops of so many iterations in one."""
    if not depth:
        return program
    graph = program.graph
    origins = dict(program.origins)
    new: dict[Value, Value] = {p: p for p in graph.params}
    for node in graph.nodes:
        made = make(node.op, tuple(new[v] for v in node.operands), node.attrs)
        if node in depth:
            made = _deeper(made, depth[node])
        if node in program.origins:
            origins[made] = origins.get(made, frozenset()) | program.origins[node]
        new.update(zip(node.values, made.values, strict=True))
    checks = [Check(new[c.ok], c.exception, c.message) for c in graph.checks]
    return Program(Graph(graph.params, [new[v] for v in graph.results], checks), origins)


def _deeper(node: Node, depth: int) -> Node:
    start, stop, step, *rest = node.operands
    one, size = const(1, start.type.dtype), const(depth, start.type.dtype)
    zero = const(0, start.type.dtype)
    # range(start, stop, step) has this many members where the step goes upwards; else the loop stays as it is.
    if step != one:
        return node
    trips = _op("maximum", _op("subtract", stop, start), zero)
    rounds = _op("floor_divide", trips, size)
    body: Graph = node.kw["body"]
    carried = node.kw["carried"]
    index, *inner = (param(k, p.type) for k, p in enumerate((body.params[0], *body.params[1:])))
    # The start is one more constant: indices count on from it.
    begin = param(1 + len(inner), start.type)
    state, checks = inner[:carried], []
    for k in range(depth):
        at = _op("add", begin, _op("add", _op("multiply", index, size), const(k, start.type.dtype)))
        places = dict(zip(body.params, (at, *state, *inner[carried:]), strict=True))
        for inside in body.nodes:
            new = make(inside.op, tuple(places.get(v, v) for v in inside.operands), inside.attrs)
            new.lines |= inside.lines
            places.update(zip(inside.values, new.values, strict=True))
        state = [places.get(v, v) for v in body.results]
        checks += [Check(places.get(c.ok, c.ok), c.exception, c.message) for c in body.checks]
    deep = Graph([index, *inner, begin], state, checks)
    attrs = dict(node.attrs)
    first = make(node.op, (zero, rounds, one, *rest, start), tuple(sorted((attrs | {"body": deep}).items())))
    if _op("remainder", trips, size) == zero:
        return first
    after = _op("add", start, _op("multiply", rounds, size))
    return make(node.op, (after, stop, one, *first.values, *rest[carried:]), node.attrs)


def _op(name: str, *operands: Value) -> Value:
    """An operation on whole numbers; of constants, a constant."""
    known = [v.node.kw["value"].value for v in operands if v.node.op.name == "const"]
    if len(known) == len(operands):
        return const(getattr(np, name)(*known), operands[0].type.dtype)
    return apply(lookup(name), *operands)
