"""reorder: finds an order of the nodes in which less memory is alive at once.

Several orders are tried and their peaks computed; the order that came in stays unless another one is better.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from lazyarr.ir import extents
from lazyarr.ir.graph import Graph, Program, depth_first
from lazyarr.ir.node import Node, Value
from lazyarr.ir.rewrite import rewrite
from lazyarr.passes.base import Pass


@dataclass(frozen=True)
class Reorder(Pass):
    """Reorder the nodes of the graph, and of the graphs in its regions, for a low peak of live memory.

    Attributes
    ----------
    limit : int
        Graphs of more nodes keep their order; 0 for no limit. The time is near linear in the number of nodes.
    lookahead : int
        How many steps further the greedy order looks, along the work that a step makes possible.
    """

    name: ClassVar[str] = "reorder"
    limit: int = 0
    lookahead: int = 3

    def run(self, program: Program) -> Program:
        # Without rules the driver rebuilds what holds regions, and keeps every order.
        return rewrite(program, {}, finish=self._reordered)

    def _reordered(self, graph: Graph) -> Graph:
        if len(graph.nodes) < 3 or 0 < self.limit < len(graph.nodes):
            return graph
        memory = _Memory(graph)
        orders = (graph.nodes, *_orders(graph, memory, self.lookahead))
        return Graph(graph.params, graph.results, graph.checks, min(orders, key=memory.peak))


def peak_memory(graph: Graph) -> int:
    """Bytes alive at once at most when `graph` runs in its order, one node after another.

    Values the graph computes are counted from the node that makes them to the last that reads them (results to the
    end), views as what they are views of, and for regions what is alive inside them. Arguments are the caller's and
    are not counted. Symbolic extents count at their bounds.
    """
    return _Memory(graph).peak(graph.nodes)


class _Memory:
    """What each node of a graph allocates, and who keeps it alive.

    Attributes
    ----------
    made : dict
        Bytes of the results of each node, views not counted.
    inside : dict
        Bytes each node needs while it runs, beyond its results.
    reads : dict
        For each node the pieces of memory it reads, each once; a piece is named by the value that made it.
    readers : dict
        For each piece the nodes that read it.
    """

    def __init__(self, graph: Graph):
        self._piece: dict[Value, Value | None] = dict.fromkeys(graph.params)
        self.made: dict[Node, int] = {}
        self.inside: dict[Node, int] = {}
        self.reads: dict[Node, list[Value]] = {}
        self.readers: dict[Value, list[Node]] = {}
        for node in graph.nodes:
            pieces = dict.fromkeys(self._piece[v] for v in node.operands)
            self.reads[node] = [p for p in pieces if p is not None]
            for piece in self.reads[node]:
                self.readers[piece].append(node)
            # A view takes no memory, but what it is a view of stays alive.
            is_view = node.op.memory == "view"
            for value in node.values:
                self._piece[value] = self._piece[node.operands[0]] if is_view else value
                if not is_view:
                    self.readers[value] = []
            self.made[node] = 0 if is_view else sum(self.bytes(v) for v in node.values)
            peaks = [peak_memory(region) for region in node.regions]
            self.inside[node] = max(0, max(peaks) - self.made[node]) if peaks else 0
        self.kept = {self._piece[v] for v in graph.roots}

    @staticmethod
    def bytes(piece: Value) -> int:
        return extents.bound(piece.type.nbytes)

    def peak(self, order: Iterable[Node]) -> int:
        """Bytes alive at once at most when the nodes run in this order."""
        left = {piece: len(nodes) for piece, nodes in self.readers.items()}
        live = highest = 0
        for node in order:
            live += self.made[node]
            highest = max(highest, live + self.inside[node])
            for piece in self.reads[node]:
                left[piece] -= 1
                if not left[piece] and piece not in self.kept:
                    live -= self.bytes(piece)
            for value in node.values:
                if left.get(value) == 0 and value not in self.kept:
                    live -= self.bytes(value)
        return highest


def _orders(graph: Graph, memory: _Memory, lookahead: int) -> Iterator[Sequence[Node]]:
    """Orders worth trying."""
    yield depth_first(graph.roots)
    yield _largest_need_first(graph, memory)
    yield _greedy(graph, memory, lookahead)


def _largest_need_first(graph: Graph, memory: _Memory) -> list[Node]:
    """Sethi and Ullman's order, which is the best one for trees: first the operand that needs most beyond its result.

    R. Sethi and J. D. Ullman, The generation of optimal code for arithmetic expressions, J. ACM 17 (1970).
    """
    need: dict[Node, int] = {p.node: 0 for p in graph.params}
    made = {**need, **memory.made}
    ranked: dict[Node, list[Node]] = {}

    def rank(values: Iterable[Value]) -> list[Node]:
        return sorted(dict.fromkeys(v.node for v in values), key=lambda n: made[n] - need[n])

    for node in graph.nodes:
        ranked[node] = rank(node.operands)
        held = most = 0
        for producer in ranked[node]:
            most = max(most, held + need[producer])
            held += made[producer]
        need[node] = max(most, held + made[node] + memory.inside[node])
    params = {p.node for p in graph.params}
    order: dict[Node, None] = {}
    stack = [(node, False) for node in reversed(rank(graph.roots))]
    while stack:
        node, ready = stack.pop()
        if node in order or node in params:
            continue
        if ready:
            order[node] = None
        else:
            stack.append((node, True))
            stack.extend((producer, False) for producer in reversed(ranked[node]))
    return list(order)


def _greedy(graph: Graph, memory: _Memory, lookahead: int) -> list[Node]:
    """List scheduling: always the node after which, or a few steps after which, least is alive."""
    position = {node: k for k, node in enumerate(graph.nodes)}
    left = {piece: len(nodes) for piece, nodes in memory.readers.items()}
    waiting: dict[Node, int] = {}
    followers: dict[Node, list[Node]] = {node: [] for node in graph.nodes}
    for node in graph.nodes:
        producers = {v.node for v in node.operands} & position.keys()
        waiting[node] = len(producers)
        for producer in producers:
            followers[producer].append(node)

    def change(node: Node, chain: dict[Value, int]) -> int:
        """Bytes that `node` adds to what is alive, after those whose reads `chain` counts."""
        bytes_freed = 0
        for piece in memory.reads[node]:
            chain[piece] = chain.get(piece, 0) + 1
            if left[piece] == chain[piece] and piece not in memory.kept:
                bytes_freed += memory.bytes(piece)
        return memory.made[node] - bytes_freed

    def score(node: Node) -> tuple[int, int, int]:
        chain: dict[Value, int] = {}
        total = best = change(node, chain)
        last = node
        for _ in range(lookahead):
            possible = [n for n in followers[last][:_FEW] if waiting[n] == 1]
            if not possible:
                break
            steps = [(change(n, dict(chain)), position[n], n) for n in possible]
            _, _, last = min(steps)
            total += change(last, chain)
            best = min(best, total)
        return best, memory.made[node] + memory.inside[node], position[node]

    heap: list[tuple[tuple[int, int, int], Node]] = []
    current: dict[Node, tuple[int, int, int]] = {}

    def offer(node: Node) -> None:
        new = score(node)
        if current.get(node) != new:
            current[node] = new
            heapq.heappush(heap, (new, node))

    for node in graph.nodes:
        if not waiting[node]:
            offer(node)
    order: list[Node] = []
    done: set[Node] = set()
    while heap:
        found, node = heapq.heappop(heap)
        if node in done or current[node] != found:
            continue
        done.add(node)
        order.append(node)
        for follower in followers[node]:
            waiting[follower] -= 1
            if not waiting[follower]:
                offer(follower)
        for piece in memory.reads[node]:
            left[piece] -= 1
            # One of the last readers frees the piece: their scores have changed.
            if left[piece] <= _FEW:
                for reader in memory.readers[piece]:
                    if not waiting[reader] and reader not in done:
                        offer(reader)
    return order


#: How many followers of a node, and last readers of a value, the greedy order looks at.
_FEW = 4
