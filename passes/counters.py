"""counters: integers that only count need not be checked.

Each sum of Python's ints is checked to fit 64 bits, and that keeps iterations from advancing together. What begins with
a number of 32 bits and changes by at most `_MOST` at a time would have to change 2**52 times before it does not fit: no
computer gets there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lazyarr.ir.graph import Check, Graph, Line, Program
from lazyarr.ir.node import Node, Value, apply, make
from lazyarr.ir.op import lookup
from lazyarr.ir.rewrite import live_origins
from lazyarr.ops.create import CONST, const
from lazyarr.ops.loops import COND, LOOP, WHILE
from lazyarr.passes.base import Pass

_I64, _BOOL = np.dtype(np.int64), np.dtype(np.bool_)
#: The most that a counter begins with, and changes by.
_FIRST, _MOST = 1 << 31, 1 << 10
#: What counters may go through and still be ones: of which operands one is the result.
_PICK = {"select": (1, 2), "maximum": (0, 1), "minimum": (0, 1)}


@dataclass(frozen=True)
class Counters(Pass):
    """Take the checks from sums that only count."""

    name: ClassVar[str] = "counters"

    def run(self, program: Program) -> Program:
        if not any(node.op.name == "exact" for node in _all(program.graph)):
            return program
        found = _Counted(program)
        graph = found.graph(program.graph, frozenset())
        return Program(graph, live_origins(graph, found.origins))


def _all(graph: Graph) -> Iterable[Node]:
    for node in graph.nodes:
        yield node
        for region in node.regions:
            yield from _all(region)


def _bounded(value: Value, most: int) -> bool:
    """Whether an integer is known to be of no more than some size."""
    node = value.node
    if node.op is CONST:
        return value.type.dtype.kind in "bi" and abs(int(node.kw["value"].value)) <= most
    if node.op.name == "cast":
        return node.operands[0].type.dtype == _BOOL or _bounded(node.operands[0], most)
    places = _PICK.get(node.op.name)
    return places is not None and all(_bounded(node.operands[k], most) for k in places)


class _Counted:
    def __init__(self, program: Program):
        self.origins: dict[Node, frozenset[Line]] = dict(program.origins)

    def _counters(self, graph: Graph, given: frozenset[Value]) -> set[Value]:
        """The values of a graph that are counters, if some of its parameters are."""
        found = set(given)

        def counts(value: Value) -> bool:
            return value in found or value.type.dtype == _I64 and not value.type.shape and _bounded(value, _FIRST)

        for node in graph.nodes:
            name, operands = node.op.name, node.operands
            if node.types[0].dtype == _I64 and not node.types[0].shape and not list(node.regions):
                if self._adds(node):
                    x, y = operands
                    up = counts(x) and _bounded(y, _MOST)
                    if up or (node.kw.get("kind", name) == "add" and counts(y) and _bounded(x, _MOST)):
                        found.add(node.values[0])
                elif name in _PICK and all(counts(operands[k]) for k in _PICK[name]):
                    found.add(node.values[0])
                elif name == "cast" and counts(operands[0]):
                    found.add(node.values[0])
            elif node.op in (LOOP, WHILE):
                inside = self._inside(node, found)
                first = 1 if node.op is LOOP else 0
                params = node.kw["body"].params[first : first + node.kw["carried"]]
                found.update(v for v, p in zip(node.values, params, strict=True) if p in inside)
            elif node.op is COND:
                ways = []
                for region in (node.kw["then"], node.kw["orelse"]):
                    own = self._counters(region, self._given(node, region, found))
                    ways.append([v in own or _counts_alone(v) for v in region.results])
                found.update(v for v, a, b in zip(node.values, *ways, strict=True) if a and b)
        return found

    @staticmethod
    def _adds(node: Node) -> bool:
        kind = node.kw["kind"] if node.op.name == "exact" else node.op.name
        return kind in ("add", "subtract")

    @staticmethod
    def _given(node: Node, region: Graph, found: Iterable[Value]) -> frozenset[Value]:
        """The parameters of a region that are counters because what they stand for is one."""
        known = set(found)
        if node.op not in (LOOP, WHILE, COND):
            return frozenset()
        if node.op is LOOP:
            pairs = zip(region.params[1:], node.operands[3:], strict=True)
        else:
            pairs = zip(region.params, node.operands[len(node.operands) - len(region.params) :], strict=True)
        return frozenset(p for p, v in pairs if v in known or _counts_alone(v))

    def _inside(self, node: Node, found: Iterable[Value]) -> frozenset[Value]:
        """The same of the body of a loop: counters are carried that are ones at the end of each iteration, too."""
        body, carried = node.kw["body"], node.kw["carried"]
        given = self._given(node, body, found)
        first = 1 if node.op is LOOP else 0
        while True:
            own = self._counters(body, given)
            pairs = zip(body.params[first : first + carried], body.results[:carried], strict=True)
            lost = {p for p, v in pairs if p in given and v not in own and not _counts_alone(v)}
            if not lost:
                return given
            given -= lost

    def graph(self, graph: Graph, given: frozenset[Value]) -> Graph:
        """The graph, in which some parameters are counters, without the checks of counters."""
        found = self._counters(graph, given)
        new: dict[Value, Value] = {p: p for p in graph.params}
        order: list[Node] = []
        for node in graph.nodes:
            attrs = dict(node.attrs)
            for name, region in node.attrs:
                if isinstance(region, Graph):
                    inside = self._given(node, region, found)
                    if node.op in (LOOP, WHILE):
                        inside = self._inside(node, found)
                    attrs[name] = self.graph(region, self._same(node, region, inside))
            operands = tuple(new[v] for v in node.operands)
            if node.op.name == "exact" and node.values[0] in found:
                values = [apply(lookup(node.kw["kind"]), *operands), const(True, _BOOL)]
            else:
                values = list(make(node.op, operands, tuple(sorted(attrs.items()))).values)
            for value in values:
                order.append(value.node)
                if node in self.origins:
                    self.origins[value.node] = self.origins.get(value.node, frozenset()) | self.origins[node]
            new.update(zip(node.values, values, strict=True))
        checks = [Check(new[c.ok], c.exception, c.message) for c in graph.checks]
        return Graph(graph.params, [new[v] for v in graph.results], checks, list(dict.fromkeys(order)))

    @staticmethod
    def _same(node: Node, region: Graph, inside: frozenset[Value]) -> frozenset[Value]:
        """Parameters of a region, by those of the body of its loop: a condition has the same without the index."""
        body = node.kw.get("body")
        if region is body or body is None:
            return inside
        return frozenset(region.params[k] for k, p in enumerate(body.params) if p in inside)


def _counts_alone(value: Value) -> bool:
    """Whether a value is a counter wherever it stands."""
    return value.type.dtype == _I64 and not value.type.shape and _bounded(value, _FIRST)
