"""merge_messages: what several arrays want of the ranks beside this one comes in one message from each of them.

``halo(u); halo(v) -> halo(u, v)``, where `v` is not made of what the first one brings and nothing is communicated
between them. All ranks have to merge the same: that is decided by the whole program (`Messages`), of which a rank's own
may leave out what there is nothing of.
"""

from __future__ import annotations

from collections.abc import Sequence

from lazyarr.ir.graph import Check, Graph, Line, Program
from lazyarr.ir.node import Node, Value, make


class Messages:
    """Which halos of a graph go together, found while a rank's program is made of it, node by node.

    Attributes
    ----------
    groups : list of list of Node
        The rank's own nodes; of this graph and of those in it.
    """

    def __init__(self, groups: list[list[Node]]):
        self.groups = groups
        self._values: set[Value] = set()
        #: What is made of values that the last group brings more of, in the whole program.
        self._behind: set[Node] = set()
        self._dim = -1
        self._token: Value | None = None

    def read(self, node: Node) -> None:
        """A node of the whole program has been done."""
        if any(v in self._values or v.node in self._behind for v in node.operands):
            self._behind.add(node)

    def halo(self, value: Value, dim: int, before: Value, made: Node) -> None:
        """More has come of a value of the whole program, by a node that takes a token and gives one."""
        with_others = (
            before == self._token and dim == self._dim and value not in self._values and value.node not in self._behind
        )
        if not with_others:
            self.groups.append([])
            self._values, self._behind = set(), set()
        self.groups[-1].append(made)
        self._values.add(value)
        self._dim, self._token = dim, made.values[-1]


def merge_messages(program: Program, groups: Sequence[Sequence[Node]]) -> Program:
    """A rank's program in which the halos of each group are one."""
    origins: dict[Node, frozenset[Line]] = {}
    several = [list(group) for group in groups if len(group) > 1]
    return Program(_Merging(program, several, origins).graph(program.graph), origins)


class _Merging:
    def __init__(self, program: Program, groups: list[list[Node]], origins: dict[Node, frozenset[Line]]):
        self._program, self._origins = program, origins
        self._of = {node: group for group in groups for node in group}

    def graph(self, graph: Graph) -> Graph:
        """A graph and those in it."""
        new: dict[Value, Value] = {p: p for p in graph.params}
        stack: list[Node] = list(reversed(graph.nodes))
        while stack:
            node = stack[-1]
            group = self._of.get(node, [node])
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
