"""overlap_messages: what does not need what others send is computed while that comes.

``low, above = halo(u); ...  ->  flight = halo_start(u); <work>; low, above = halo_wait(flight); ...``

The work is what does not depend on the halo anyway, and the inner part of statements that do: ``u[...] = f(u with what
has come)`` becomes the rows that `f` makes of this rank's own, before the wait, and the rows beside the others, after
it (`lazyarr.passes.halves`). A wait has the results of that work among its operands, so that no later pass moves it up.

A rank may decide this by itself: where it begins a halo, another one may wait for its own at once. The messages are
the same, and begin in the same order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lazyarr.cost_model import CostModel
from lazyarr.ir.extents import is_static
from lazyarr.ir.graph import Check, Graph, Line, Program, depth_first
from lazyarr.ir.layout import length, sent
from lazyarr.ir.node import Node, Value, apply_all, make
from lazyarr.ir.rewrite import live_origins
from lazyarr.ops.comm import HALO, TOKEN
from lazyarr.ops.flight import HALO_START, HALO_WAIT
from lazyarr.ops.index import UPDATE_SLICE
from lazyarr.passes.halves import Halves, read_before

#: Seconds that a halo in two operations, or a statement in two more parts, takes besides what moves; how often an
#: element of a statement goes through memory, and one that is sent or received more than where nothing is copied.
_PARTS, _MOVES, _COPIES = 2e-6, 2, 4
#: Nodes times halos of a graph in which work is looked for: a second or so.
_MOST = 1 << 17


def overlap_messages(program: Program, model: CostModel, when: str = "auto") -> Program:
    """A rank's program with halos that begin before other work, and end after it.

    Parameters
    ----------
    program : Program
        In LOCAL form.
    model : CostModel
    when : {"auto", "always", "never"}
        Whether that is done where it saves time by the model, wherever it is possible, or nowhere.
    """
    if when == "never":
        return program
    origins: dict[Node, frozenset[Line]] = dict(program.origins)
    graph = _Overlapping(origins, model, when == "always").graph(program.graph)
    return Program(graph, live_origins(graph, origins))


def hidden_seconds(halo: Node, work: float, model: CostModel) -> float:
    """Predicted time of the messages of a halo, or of what begins it, that goes by during so many seconds of work."""
    return min(model.sent(*_messages(halo)) * model.hidden, work)


def work_seconds(node: Node, model: CostModel) -> float:
    """Predicted time of a node: of a write that of what is written; of loops and branches more than any message's."""
    if any(True for _ in node.regions):
        return math.inf
    if node.op is UPDATE_SLICE:
        return _MOVES * int(node.operands[1].type.nbytes) / model.memory_bandwidth
    return model.worked(float(node.cost.flops), 0.0, float(node.cost.bytes))


def _messages(halo: Node) -> tuple[int, int]:
    """How many messages a halo sends, and their bytes."""
    messages: dict[int, int] = {}
    for array, (axis, _, have, want) in zip(halo.operands, halo.kw["parts"], strict=False):
        row = int(array.type.nbytes) // max(int(array.type.shape[axis]), 1)
        for k, part in sent(halo.kw["at"], have, want):
            messages[k] = messages.get(k, 0) + row * length(part)
    return len(messages), sum(messages.values())


class _Overlapping:
    def __init__(self, origins: dict[Node, frozenset[Line]], model: CostModel, always: bool):
        self._origins, self._model, self._always = origins, model, always

    def graph(self, graph: Graph) -> Graph:
        """A graph and those in it."""
        graph = self._regions(graph)
        count = sum(node.op is HALO for node in graph.nodes)
        if count * len(graph.nodes) > _MOST:
            return graph
        for number in reversed(range(count)):
            # (The last one first: those before it stay as they are.)
            halo = [node for node in graph.nodes if node.op is HALO][number]
            graph = self._overlapped(graph, halo)
        return graph

    def _overlapped(self, graph: Graph, halo: Node) -> Graph:
        """The graph with work done while a halo comes, if there is some and that pays."""
        found = self._forwarded(graph, halo)
        halves = Halves(found, halo)
        last, work = _last_before(found, halo, halves.behind), _work(found, halo, halves.behind)
        if last is None or not (halves.statements or work):
            return graph
        if not (self._always or self._pays(halo, halves, work)):
            return graph
        return self._split(found, halo, halves, work, last)

    def _forwarded(self, graph: Graph, halo: Node) -> Graph:
        """The graph with what needs nothing of what comes reading what was there before."""
        earlier = read_before(graph, halo)
        if not earlier:
            return graph
        new: dict[Value, Value] = {p: p for p in graph.params}
        order = []
        for node in graph.nodes:
            if node in earlier:
                new[node.values[0]] = earlier[node]
                self._credit(node, earlier[node].node)
                order.append(earlier[node].node)
            else:
                order.append(self._add(node, new))
        return _closed(graph, new, order)

    def _regions(self, graph: Graph) -> Graph:
        """The graph with those in its nodes done."""
        if not any(True for node in graph.nodes for _ in node.regions):
            return graph
        new: dict[Value, Value] = {p: p for p in graph.params}
        order = []
        for node in graph.nodes:
            attrs = tuple((k, self.graph(v) if isinstance(v, Graph) else v) for k, v in node.attrs)
            order.append(self._add(node, new, attrs))
        return _closed(graph, new, order)

    def _add(self, node: Node, new: dict[Value, Value], attrs: Any = None) -> Node:
        """The node on new operands."""
        made = make(node.op, tuple([new[v] for v in node.operands]), node.attrs if attrs is None else attrs)
        self._credit(node, made)
        new.update(zip(node.values, made.values, strict=True))
        return made

    def _credit(self, node: Node, made: Node) -> None:
        made.lines |= node.lines
        lines = self._origins.get(node)
        if lines:
            self._origins[made] = self._origins.get(made, frozenset()) | lines

    def _pays(self, halo: Node, halves: Halves, work: Sequence[Value]) -> bool:
        """Whether it saves more than it costs.

        What is hidden of the messages' time, and arrays that need not be put together; copies, statements in parts.
        """
        model, (_, nbytes) = self._model, _messages(halo)
        there = sum(work_seconds(v.node, model) for v in work)
        there += sum(_MOVES * length(s.inner) * s.row_bytes / model.memory_bandwidth for s in halves.statements)
        more = _PARTS * max(len(halves.statements), 1) + _COPIES * nbytes / model.memory_bandwidth
        saved = _MOVES * halves.saved / model.memory_bandwidth
        return hidden_seconds(halo, there, model) + saved > more

    def _split(self, graph: Graph, halo: Node, halves: Halves, work: Sequence[Value], last: Value) -> Graph:
        """The graph with a halo that is begun at its place, and ended behind what can be done meanwhile."""
        new: dict[Value, Value] = {p: p for p in graph.params}
        order: list[Node] = []
        parts = {name: halo.kw[name] for name in ("at", "dim", "parts")}
        for node in graph.nodes:
            if node is halo:
                flight, new[halo.values[-1]] = apply_all(HALO_START, *(new[v] for v in halo.operands), **parts)
                self._credit(halo, flight.node)
                # (Before what it does not need.)
                order.insert(0, flight.node)
            elif node not in halves.behind:
                order.append(self._add(node, new))
        done = [new[v] for v in work]
        for statement in halves.statements:
            begun = halves.begin(statement, new)
            self._credit(statement.node, begun.node)
            done.append(begun)
        types = tuple(v.type for v in halo.operands[:-1])
        *sides, new[last] = apply_all(HALO_WAIT, flight, new[last], *dict.fromkeys(done), **parts, types=types)
        self._credit(halo, new[last].node)
        # (What comes before a wait it needs: what else is there comes where it is used.)
        order.insert(1, new[last].node)
        new.update(zip(halo.values[:-1], sides, strict=True))
        of = {s.node: s for s in halves.statements}
        for node in graph.nodes:
            if node not in halves.behind:
                continue
            if node in of:
                new[node.values[0]] = halves.complete(of[node], new)
                self._credit(node, new[node.values[0]].node)
                order.append(new[node.values[0]].node)
            else:
                order.append(self._add(node, new))
        return _closed(graph, new, order)


def _closed(graph: Graph, new: dict[Value, Value], order: Sequence[Node]) -> Graph:
    """The graph of what its results have become, in this order as far as operands allow; what is dead is gone."""
    results = [new[v] for v in graph.results]
    checks = [Check(new[c.ok], c.exception, c.message) for c in graph.checks]
    roots = [*results, *(c.ok for c in checks)]
    live = set(depth_first(roots))
    first = [node.values[0] for node in order if node in live]
    return Graph(graph.params, results, checks, depth_first([*first, *roots]))


def _last_before(graph: Graph, halo: Node, behind: set[Node]) -> Value | None:
    """The token after all that communicates without what comes; None if that cannot be said.

    (A wait takes that token: what communicates then has to wait anyway.)
    """
    token = halo.values[-1]
    while True:
        takers = [node for node in graph.nodes if token in node.operands]
        if not takers:
            return token if graph.roots.count(token) == 1 else None
        (taker,) = takers if len(takers) == 1 else (None,)
        if taker is None or token in graph.roots:
            return None
        if taker in behind:
            return token
        if taker.types[-1] != TOKEN:
            return None  # (The end of a condition, which gives no token.)
        token = taker.values[-1]


def _work(graph: Graph, halo: Node, behind: set[Node]) -> list[Value]:
    """What else takes time, neither needs what comes nor is needed for what is sent: the last values of it."""
    before = set(depth_first(halo.operands))
    read = {v for node in behind for v in node.operands} | set(graph.roots)
    return [
        value for node in graph.nodes if node is not halo and node not in behind and node not in before
        and _takes_time(node) for value in node.values
        if value in read and (not node.op.pointwise or value in graph.roots) and not _is_token(value)
    ]  # fmt: skip


def _takes_time(node: Node) -> bool:
    """Whether a node works on arrays. (What another halo brings is nothing that could be done meanwhile.)

    What only moves elements is left to its readers, who may read them where they are.
    """
    if node.op.memory != "fresh" or node.op in (HALO, HALO_START, HALO_WAIT):
        return False
    if not any(v.type.shape for v in node.operands) or not all(is_static(v.type.shape) for v in node.values):
        return False
    return node.op is UPDATE_SLICE or any(True for _ in node.regions) or bool(node.cost.flops)


def _is_token(value: Value) -> bool:
    node = value.node
    return value == node.values[-1] and value.type == TOKEN and any(v.type == TOKEN for v in node.operands)

