"""independent: finds the loops whose iterations do not depend on each other, for back ends that have several cores.

An iteration may read what no other one writes, and write what no other one reads or writes: windows of the arrays that
the loop carries, compared as linear forms in the indices (`accesses`). Numbers that it carries may be folds (`folds`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lazyarr.ir.graph import Check, Graph, Line, Program
from lazyarr.ir.node import Node, Value, make
from lazyarr.ir.rewrite import live_origins
from lazyarr.passes.accesses import Accesses, Dependent
from lazyarr.passes.base import Pass
from lazyarr.passes.folds import roles
from lazyarr.passes.integers import Integers, Numbers


@dataclass(frozen=True)
class Independent(Pass):
    """Set ``shared`` of loops whose iterations may run in any order, or at once."""

    name: ClassVar[str] = "independent"

    def run(self, program: Program) -> Program:
        if not any(list(node.regions) for node in program.graph.nodes):
            return program
        marker = _Marker(program)
        graph = marker.graph(program.graph, {})
        return Program(graph, live_origins(graph, marker.origins))


def dependences(graph: Graph) -> dict[Node, tuple[str, Node | None]]:
    """The loops of a graph, inner ones included, whose iterations depend on each other: why, and what ties them."""
    marker = _Marker(Program(graph))
    marker.graph(graph, {})
    return marker.reasons


class _Marker:
    def __init__(self, program: Program):
        self.origins: dict[Node, frozenset[Line]] = dict(program.origins)
        self.integers = Integers()
        #: Loops of the graph as it is whose iterations depend on each other: why, and what ties them together.
        self.reasons: dict[Node, tuple[str, Node | None]] = {}

    def graph(self, graph: Graph, numbers: Numbers) -> Graph:
        new: dict[Value, Value] = {p: p for p in graph.params}
        order: list[Node] = []
        for node in graph.nodes:
            self.integers.step(node, graph, numbers)
            attrs = dict(node.attrs)
            if list(node.regions):
                attrs.pop("shared", None)
                found = self._shared(node, numbers) if node.op.name == "loop" else ()
                if found:
                    attrs["shared"] = found
                for name, region in node.attrs:
                    if isinstance(region, Graph):
                        inside = self.integers.inside(node, region, numbers) if node.op.name != "region" else {}
                        attrs[name] = self.graph(region, inside)
            made = make(node.op, tuple(new[v] for v in node.operands), tuple(sorted(attrs.items())))
            order.append(made)
            new.update(zip(node.values, made.values, strict=True))
            if node in self.origins:
                self.origins[made] = self.origins.get(made, frozenset()) | self.origins[node]
        checks = [Check(new[c.ok], c.exception, c.message) for c in graph.checks]
        return Graph(graph.params, [new[v] for v in graph.results], checks, order)

    def _shared(self, node: Node, numbers: Numbers) -> tuple[str, ...]:
        body, step = node.kw["body"], self.integers.get(numbers, node.operands[2]).constant
        if node.kw["until"] >= 0 or not step:
            return ()
        try:
            accesses = Accesses(self.integers, node, numbers)
            found = roles(body, node.kw["carried"], accesses.results)
            accesses.require_independent()
        except Dependent as reason:
            self.reasons[node] = reason.why, reason.node
            return ()
        return found
