"""place: decides what does not run in XLA, and writes it into the graph as regions of one operation each.

An operation's first choice of back end is taken unless handing the data over costs more than it gains, and so is
work between such operations where fetching it from XLA would cost more than doing it there. What stays outside the
regions is XLA's; `fuse` reads it so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from lazyarr.ir.graph import Check, Graph, Program, param, users
from lazyarr.ir.node import Node, Value, make
from lazyarr.ir.rewrite import Rebuild
from lazyarr.ops.control import REGION
from lazyarr.passes import costs
from lazyarr.passes.base import Pass
from lazyarr.passes.build import is_free, runs_on, static
from lazyarr.passes.repeats import repeats_itself


@dataclass(frozen=True)
class Place(Pass):
    """Wrap what runs elsewhere than in XLA into ``region {backend=...}``.

    Attributes
    ----------
    small : int
        A program that NumPy is estimated to finish in fewer microseconds runs in NumPy whole: starting an executable
        takes about twenty, and compiling it tens of thousands. 0: XLA has every program it can run.
    native : int
        A program of at most this many operations, or one that repeats itself, runs in native code: on CPUs, where XLA
        is slower than NumPy with small arrays and large results, and takes longer to compile. 0: XLA comes first.
    large : int
        A program of more operations, all of them XLA's, but at most four times as many, runs in native code if it
        does not repeat itself: XLA's time to compile grows faster than the length of a program (native code's, too, a
        little later), and what repeats itself is compiled once by XLA. 0: XLA has programs of every length.
    """

    name: ClassVar[str] = "place"
    small: int = 0
    native: int = 0
    large: int = 0

    def run(self, program: Program) -> Program:
        placed = choose(program.graph, self.small * 1e-6, self.large, self.native)
        if all(backend == "xla" for backend in placed.values()):
            return program
        if all(backend == "native" for backend in placed.values()):
            return _one_region(program, "native")
        return _wrap(program, placed)


def choose(graph: Graph, small: float = 0.0, large: int = 0, native: int = 0) -> dict[Node, str]:
    """The back end of each node, free ones excepted; NumPy for all if it can run them in fewer than `small` seconds.

    Native code for all where they are few, see `Place.native`, or where XLA would have every one, and they are too
    many, see `Place.large`.

    Raises
    ------
    ValueError
        If no back end can run a node.
    """
    placed: dict[Node, str] = {}
    for node in graph.nodes:
        if is_free(node):
            continue
        placed[node] = runs_on(node)[0]
    if "native" in placed.values():
        # Loops, branches and what has run-time lengths: native code has no step in Python, and runs every operation.
        # XLA, where it comes first, has them if it can run all of what they hold.
        if native or not all("xla" in runs_on(node) for node, b in placed.items() if b == "native"):
            return dict.fromkeys(placed, "native")
        placed = {node: "xla" if backend == "native" else backend for node, backend in placed.items()}
    if not all(static(*node.values) for node in graph.nodes):
        # A value of run-time length stays within one region.
        whole = all("xla" in runs_on(node) for node in placed)
        return dict.fromkeys(placed, "xla" if whole else "native")
    if small and all("numpy" in runs_on(node) for node in placed):
        if sum(costs.node_seconds(node, "numpy") for node in placed) < small:
            return dict.fromkeys(placed, "numpy")
    nodes = list(placed)
    # (Who asks for another back end than lazyarr's own gets it.)
    own = {"xla", "numpy", "native"}
    if native and set(placed.values()) <= own and all("native" in runs_on(node) for node in nodes):
        if 0 < len(nodes) <= native or repeats_itself(nodes):
            return dict.fromkeys(placed, "native")
    if all(backend == "xla" for backend in placed.values()):
        if large < len(nodes) <= 4 * large and all("native" in runs_on(n) for n in nodes) and not repeats_itself(nodes):
            return dict.fromkeys(placed, "native")
        return placed
    surroundings = _Surroundings(graph, placed)
    # Work that is better elsewhere, but not by what the way there costs, stays in XLA.
    for cluster in surroundings.clusters(lambda backend: backend != "xla"):
        if all("xla" in runs_on(n) and n.op is not REGION for n in cluster):
            surroundings.move_if_cheaper(cluster, "xla")
    # XLA's work between two such pieces goes with them where that saves more than fusing it gains.
    for cluster in surroundings.clusters(lambda backend: backend == "xla"):
        others = {b for n in cluster for b in surroundings.neighbours(n)} - {"xla"}
        if len(others) == 1 and all(n.op is not REGION and others <= set(runs_on(n)) for n in cluster):
            surroundings.move_if_cheaper(cluster, *others)
    return placed


class _Surroundings:
    """A graph with the back ends of its nodes, which it may change."""

    def __init__(self, graph: Graph, placed: dict[Node, str]):
        self.graph = graph
        self.placed = placed
        self._users = users(graph)
        self._roots = set(graph.roots)

    def _around(self, node: Node) -> list[Node]:
        near = [v.node for v in node.operands] + self._users[node]
        return [n for n in near if n in self.placed]

    def neighbours(self, node: Node) -> set[str]:
        """Back ends of the nodes that `node` reads and is read by."""
        return {self.placed[n] for n in self._around(node)}

    def clusters(self, wanted: Callable[[str], bool]) -> list[list[Node]]:
        """Connected pieces of nodes on one back end that is `wanted`, in the order of the schedule."""
        found: list[list[Node]] = []
        seen: set[Node] = set()
        order = {node: k for k, node in enumerate(self.graph.nodes)}
        for start in self.graph.nodes:
            if start in seen or start not in self.placed or not wanted(self.placed[start]):
                continue
            backend, stack = self.placed[start], [start]
            piece: list[Node] = []
            seen.add(start)
            while stack:
                node = stack.pop()
                piece.append(node)
                for other in self._around(node):
                    if other not in seen and self.placed[other] == backend:
                        seen.add(other)
                        stack.append(other)
            found.append(sorted(piece, key=order.__getitem__))
        return found

    def move_if_cheaper(self, cluster: Sequence[Node], backend: str) -> None:
        """Put `cluster` on `backend` if the program is faster so, by the declared costs."""
        now = self.placed[cluster[0]]
        if self._seconds(cluster, backend) < self._seconds(cluster, now):
            self.placed.update(dict.fromkeys(cluster, backend))

    def _seconds(self, cluster: Sequence[Node], backend: str) -> float:
        """Time of `cluster` on `backend`, the ways to and from its neighbours included."""
        members = set(cluster)
        read = {v for n in cluster for v in n.operands if v.node not in members}
        written = {v for n in cluster for v in n.values if self._leaves(v, members)}
        fetched = [v for v in read if self.placed.get(v.node, backend) != backend]
        handed = [
            v for v in written if any(u not in members and self.placed[u] != backend and v in u.operands
                                      for u in self._users[v.node])
        ]  # fmt: skip
        ways = costs.crossing_seconds(fetched) + costs.crossing_seconds(handed)
        if backend == "xla":
            # Started for these nodes alone only where no neighbour is in XLA, with which they would be fused.
            alone = not any(self.placed[o] == "xla" for n in cluster for o in self._around(n) if o not in members)
            return costs.fused_seconds(cluster, read | written) + ways + alone * costs.XLA_CALL
        return sum(costs.node_seconds(n, backend) for n in cluster) + ways

    def _leaves(self, value: Value, members: set[Node]) -> bool:
        return value in self._roots or any(u not in members and value in u.operands for u in self._users[value.node])


def _wrap(program: Program, placed: dict[Node, str]) -> Program:
    """The program with each node that does not run in XLA in a region of its own, free operands inside."""
    rebuilt = Rebuild(program)
    for node in program.graph.nodes:
        operands = tuple(rebuilt.new[v] for v in node.operands)
        backend = placed.get(node, "xla")
        if backend == "xla" or node.op is REGION:
            made = make(node.op, operands, node.attrs)
        else:
            made = _region_of(node, operands, backend)
            rebuilt.credit(node, made.kw["body"].nodes[-1])
        rebuilt.add(node, made)
    return rebuilt.finish()


def _one_region(program: Program, backend: str) -> Program:
    """The program as one region; what has lengths of the program's own in its type cannot cross a border."""
    graph = program.graph
    body = Graph(graph.params, graph.roots, nodes=graph.nodes)
    node = make(REGION, graph.params, (("backend", backend), ("body", body)))
    new = dict(zip(graph.roots, node.values, strict=True))
    checks = [Check(new[c.ok], c.exception, c.message) for c in graph.checks]
    origins = {**program.origins, node: frozenset().union(*program.origins.values())}
    return Program(Graph(graph.params, [new[v] for v in graph.results], checks), origins)


def _region_of(node: Node, operands: tuple[Value, ...], backend: str) -> Node:
    """A region that runs `node` alone; constants among its operands are made inside."""
    inside: dict[Value, Value] = {}
    handed_in: list[Value] = []
    for operand in operands:
        if operand in inside:
            continue
        if is_free(operand.node):
            inside[operand] = operand
        else:
            inside[operand] = param(len(handed_in), operand.type)
            handed_in.append(operand)
    made = make(node.op, tuple(inside[v] for v in operands), node.attrs)
    body = Graph([inside[v] for v in handed_in], made.values)
    return make(REGION, tuple(handed_in), (("backend", backend), ("body", body)))
