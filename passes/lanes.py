"""lanes: loops over columns become statements on blocks of columns.

Of ``for j in range(m): out[j] = (A[:, j] * w).sum()`` each iteration goes down a column: one number in each line of
memory. Where iterations are independent (`independent` has proved it), they may advance together: each statement in
turn, for a block of neighbouring columns, the *lanes*. What an iteration has as a scalar is an array of one element a
lane; of an array, lanes are the last axis. Each lane keeps NumPy's own order of additions (`column_sums`).

Loops within an iteration become loops over such statements: of ``for j``, ``for k: s += A[i, k] * B[k, j]`` the loop
over `k` adds rows of `B`. That is an interchange of loops, and each sum has its terms in the order it had. Where a loop
around both reads an array the other way, ``X[j, k]``, it is copied before that one, `j` along memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lazyarr.ir.graph import Graph, Line, Program, param
from lazyarr.ir.node import Node, Value, apply, make
from lazyarr.ir.op import lookup
from lazyarr.ir.rewrite import live_origins
from lazyarr.ops.control import runs_by_data
from lazyarr.ops.create import CONST, const
from lazyarr.ops.folds import PARTS, SAME
from lazyarr.ops.loops import LOOP
from lazyarr.ops.shape import TRANSPOSE
from lazyarr.passes.base import Pass
from lazyarr.passes.lane_blocks import Block, Impossible, number

_I64 = np.dtype(np.int64)
_ADD = lookup("add")
#: Iterations of a loop from which on arrays that it reads are copied before it, the other axis along memory.
_REPEATED = 8


@dataclass(frozen=True)
class Lanes(Pass):
    """Let the iterations of loops over columns advance together, block by block."""

    name: ClassVar[str] = "lanes"

    def run(self, program: Program) -> Program:
        if not any(list(node.regions) for node in program.graph.nodes):
            return program
        widener = _Widener(program)
        graph = widener.graph(program.graph, frozenset(), False, frozenset())
        return Program(graph, live_origins(graph, widener.origins))


class _Widener:
    """A program whose loops are done by blocks of lanes where that is possible and worth it."""

    def __init__(self, program: Program):
        self.origins: dict[Node, frozenset[Line]] = dict(program.origins)
        #: Inner products have the bits of NumPy's own then.
        self.exact = runs_by_data(program.graph)
        #: Copies of arrays with another axis along memory. (Equal nodes of two graphs are one: it says nothing more.)
        self._copies: set[Node] = set()

    def graph(self, graph: Graph, turned: frozenset[Value], is_shared: bool, stays: frozenset[Value]) -> Graph:
        """The graph by lanes.

        Parameters
        ----------
        graph : Graph
        turned : frozenset of Value
            Arrays of which the last axis is not the one along memory.
        is_shared : bool
            Whether threads share the iterations of a loop around it.
        stays : frozenset of Value
            Arrays that are the same whenever the graph runs, again and again.
        """
        new: dict[Value, Value] = {p: p for p in graph.params}
        order: list[Node] = []
        across = set(turned)
        for node in graph.nodes:
            if node.op is TRANSPOSE or (node.op.memory == "view" and across.intersection(node.operands[:1])):
                across.update(node.values)
            attrs = dict(node.attrs)
            operands = tuple(new[v] for v in node.operands)
            for name, region in node.attrs:
                if isinstance(region, Graph):
                    around = is_shared or bool(node.kw.get("shared"))
                    attrs[name] = self.graph(region, self._inside(node, region, across), around, _staying(node, region))
            made = make(node.op, operands, tuple(sorted(attrs.items())))
            if node.op is LOOP:
                made = self._copied_before(made, order)
                inside = self._inside(made, made.kw["body"], {new[v] for v in across if v in new})
                made = self._loop(made, inside, is_shared, stays, order)
            order.append(made)
            new.update(zip(node.values, made.values, strict=True))
            self._stands_for(made, node)
        checks = [check._replace(ok=new[check.ok]) for check in graph.checks]
        return Graph(graph.params, [new[v] for v in graph.results], checks, list(dict.fromkeys(order)))

    @staticmethod
    def _inside(node: Node, region: Graph, across: set[Value]) -> frozenset[Value]:
        """The parameters of a region that are arrays in `across`."""
        lead = len(node.operands) - len(region.params)
        if node.op is LOOP:
            pairs = zip(region.params[1:], node.operands[3:], strict=True)
        else:
            pairs = zip(region.params, node.operands[lead:], strict=True)
        return frozenset(p for p, v in pairs if v in across)

    def _stands_for(self, made: Node, node: Node) -> None:
        if node in self.origins:
            self.origins[made] = self.origins.get(made, frozenset()) | self.origins[node]

    def _loop(
        self, node: Node, turned: frozenset[Value], is_shared: bool, stays: frozenset[Value], order: list[Node]
    ) -> Node:
        """A loop by blocks of lanes; itself where that is impossible, or no gain. `order` gets what stands before."""
        roles = node.kw.get("shared", ())
        if not roles or set(roles) - {PARTS, SAME} or PARTS not in roles or node.kw["until"] >= 0:
            return node
        if number(node.operands[2]) != 1:
            return node
        body = node.kw["body"]
        copied = frozenset(p for p, v in zip(body.params[1:], node.operands[3:], strict=True) if v in stays)
        try:
            blocks = [Block(node, self.exact, turned, is_shared, copied)]
            bodies = [blocks[0].body()]
            if blocks[0].rest:
                blocks.append(Block(node, self.exact, turned, is_shared, copied, lanes=blocks[0].rest, is_rest=True))
                bodies.append(blocks[1].body())
        except Impossible:
            return node
        start, stop, _, *rest = node.operands
        for block, body in zip(blocks, bodies, strict=True):
            for made, old in block.made:
                self._stands_for(made, old)
            end = stop if block is blocks[-1] else const((number(stop) or 0) - blocks[0].rest, _I64)
            more = []
            for array, is_across, _ in block.copies:
                source = rest[block.node.kw["body"].params.index(array) - 1]
                more.append(self._copy(source, is_across, node, order))
            step = const(block.lanes, _I64)
            attrs = {**node.kw, "body": body}
            made = make(LOOP, (start, end, step, *rest, end, *more), tuple(sorted(attrs.items())))
            self._stands_for(made, node)
            order += [end.node] * (end is not stop) + [step.node, made]
            start, rest = end, [*made.values, *rest[len(made.values) :]]
        return made

    def _copy(self, array: Value, is_across: bool, node: Node, order: list[Node]) -> Value:
        """An array in memory of its own, of which the last axis lies along memory; `is_across`: it is the first one."""
        seen = apply(TRANSPOSE, array, axes=(1, 0)) if is_across else array
        # (Only adding to it makes a copy; this changes no element.)
        nothing = const(-0.0 if array.type.dtype.kind == "f" else 0, array.type.dtype)
        made = apply(_ADD, seen, nothing)
        self._copies.add(made.node)
        order += [seen.node] * is_across + [nothing.node, made.node]
        self._stands_for(made.node, node)
        return made

    def _copied_before(self, node: Node, order: list[Node]) -> Node:
        """A loop with the copies in its body made before it."""
        body: Graph = node.kw["body"]
        given = dict(zip(body.params[1:], node.operands[3:], strict=True))
        params, operands, new = list(body.params), list(node.operands), dict(zip(body.params, body.params, strict=True))
        found: set[Node] = set()
        for copy in body.nodes:
            if copy not in self._copies:
                continue
            seen = copy.operands[0]
            is_across = seen not in given and seen.node.op is TRANSPOSE
            array = seen.node.operands[0] if is_across else seen
            if array in given and body.params.index(array) > node.kw["carried"]:
                outer = self._copy(given[array], is_across, copy, order)
                params.append(param(len(params), outer.type))
                operands.append(outer)
                new[copy.values[0]] = params[-1]
                found.add(copy)
        if not found:
            return node
        read = {v for n in body.nodes if n not in found for v in n.operands} | set(body.roots)
        inside: list[Node] = []
        for n in body.nodes:
            if n in found or n.op in (TRANSPOSE, CONST) and read.isdisjoint(n.values):
                continue  # (What only a copy has read goes with it.)
            made = make(n.op, tuple(new[v] for v in n.operands), n.attrs)
            self._stands_for(made, n)
            new.update(zip(n.values, made.values, strict=True))
            inside.append(made)
        checks = [check._replace(ok=new[check.ok]) for check in body.checks]
        graph = Graph(tuple(params), [new[v] for v in body.results], checks, inside)
        return make(LOOP, tuple(operands), tuple(sorted({**node.kw, "body": graph}.items())))


def _staying(node: Node, region: Graph) -> frozenset[Value]:
    """Arrays that a loop of some iterations only reads."""
    if node.op is not LOOP:
        return frozenset()
    low, high = map(number, node.operands[:2])
    if low is None or high is None or high - low < _REPEATED:
        return frozenset()
    return frozenset(region.params[1 + node.kw["carried"] :])
