"""merge_messages: what several arrays want of the ranks beside this one comes in one message from each of them.

``halo(u); halo(v) -> halo(u, v)``, where `v` is not made of what the first one brings and nothing is communicated
between them.
"""

from __future__ import annotations

from lazyarr.ir.graph import Check, Graph, Line, Program
from lazyarr.ir.node import Node, Value, make


def merge_messages(program: Program) -> Program:
    """A rank's program with as few messages."""
    origins: dict[Node, frozenset[Line]] = {}
    return Program(_Merging(program, origins).graph(program.graph), origins)


class _Merging:
    def __init__(self, program: Program, origins: dict[Node, frozenset[Line]]):
        self._program, self._origins = program, origins

    def graph(self, graph: Graph) -> Graph:
        """A graph and those in it."""
        groups = _groups(graph)
        of = {node: group for group in groups for node in group}
        new: dict[Value, Value] = {p: p for p in graph.params}
        stack: list[Node] = list(reversed(graph.nodes))
        while stack:
            node = stack[-1]
            group = of.get(node, [node])
            if any(v in new for v in node.values):
                stack.pop()
                continue
            first, rest = group[0].operands, [v for other in group[1:] for v in other.operands[:-1]]
            missing = [v.node for v in (*first, *rest) if v not in new]
            if missing:
                stack += missing
                continue
            stack.pop()
            self._make(group, new)
        checks = [Check(new[c.ok], c.exception, c.message) for c in graph.checks]
        return Graph(graph.params, [new[v] for v in graph.results], checks)

    def _make(self, group: list[Node], new: dict[Value, Value]) -> None:
        """The node that does what those of a group do."""
        first = group[0]
        attrs = tuple((k, self.graph(v) if isinstance(v, Graph) else v) for k, v in first.attrs)
        operands = [new[v] for v in first.operands]
        if len(group) > 1:
            operands[-1:-1] = [new[v] for other in group[1:] for v in other.operands[:-1]]
            parts = tuple(part for node in group for part in node.kw["parts"])
            attrs = tuple((k, parts if k == "parts" else v) for k, v in attrs)
        made = make(first.op, tuple(operands), attrs)
        lines = frozenset[Line]().union(*(self._program.origins.get(node, frozenset()) for node in group))
        if lines:
            self._origins[made] = self._origins.get(made, frozenset()) | lines
        made.lines |= first.lines
        if len(group) == 1:
            new.update(zip(first.values, made.values, strict=True))
            return
        given = iter(made.values)
        for node in group:
            new.update((value, next(given)) for value in node.values[:-1])
        token = next(given)
        new.update((node.values[-1], token) for node in group)


def _groups(graph: Graph) -> list[list[Node]]:
    """Halos that follow one another, none of an array that is made of what another one of them brings."""
    found: list[list[Node]] = []
    #: What each value is made of, of what the last group brings.
    behind: set[Node] = set()
    last: list[Node] = []
    for node in graph.nodes:
        if node.op.name != "halo":
            if any(v.node in behind for v in node.operands):
                behind.add(node)
            continue
        follows = bool(last) and node.operands[-1] == last[-1].values[-1]
        alike = follows and all(node.kw[k] == last[0].kw[k] for k in ("dim", "at"))
        if alike and not any(v.node in behind for v in node.operands[:-1]):
            last.append(node)
        else:
            last, behind = [node], set()
            found.append(last)
        behind.add(node)
    return [group for group in found if len(group) > 1]
