"""fuse: decides the regions, each of which one back end runs as a whole; for XLA, one executable.

The whole program is one region unless something in it runs elsewhere. Then the regions are as few as an order of
alternating back ends allows, and a value is computed in the region that saves most bytes between regions. A long
program that repeats itself, an unrolled loop, becomes regions with equal bodies, which compile once.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from lazyarr.ir.graph import Check, Graph, Program, param
from lazyarr.ir.node import Node, Value, make
from lazyarr.ir.rewrite import Rebuild
from lazyarr.ops.control import REGION, runs_by_data
from lazyarr.passes import costs
from lazyarr.passes.base import Pass
from lazyarr.passes.build import backend_of, is_free, static
from lazyarr.passes.repeats import cut

#: Back ends that take longer than linear time: what is long and repeats itself is worth cutting. (Native code shares
#: what is equal itself: `native_outlined`.)
_CUT = ("xla",)

Group = tuple[str, Sequence[Node]]
Groups = list[Group]


@dataclass(frozen=True)
class Fuse(Pass):
    """Group the nodes into regions. Afterwards every node is a region.

    Attributes
    ----------
    limit : int
        The most nodes in one region, 0 for no limit. XLA's time to compile grows faster than a program's length.
    repeats : int
        About how many nodes go at most into one region of a long program that repeats itself; 0 for all of them.
    """

    name: ClassVar[str] = "fuse"
    limit: int = 0
    repeats: int = 100

    def run(self, program: Program) -> Program:
        flat = inline_regions(program)
        graph, backend = flat.program.graph, flat.backend
        work = [node for node in graph.nodes if not is_free(node)]
        groups = schedule(graph, work, backend)
        groups = _merged(_sink(graph, groups))
        groups = _with_free_roots(graph, groups)
        if self.repeats:
            # (What has run-time lengths stays together: they are values of one region. So does what is computed before
            # a loop that data ends: who compiles it takes care of the last bit.)
            together = runs_by_data(graph) or not all(static(*node.values) for node in graph.nodes)
            pieces = [(b, [nodes] if together or b not in _CUT else cut(nodes, self.repeats))
                      for b, nodes in groups]  # fmt: skip
            groups = [(b, piece) for b, found in pieces for piece in found]
        if self.limit:
            groups = [(b, nodes[k : k + self.limit]) for b, nodes in groups for k in range(0, len(nodes), self.limit)]
        return _regions(flat.program, groups)


# --------------------------------------------------------------------------------------- regions taken apart


@dataclass(frozen=True)
class Flat:
    """A program without regions, and the back end of each of its nodes."""

    program: Program
    backend: dict[Node, str]


def inline_regions(program: Program) -> Flat:
    """Put the nodes of regions into the graph around them, remembering where they run.

    A node stands in one place only: where two regions for unlike back ends compute the same, the first keeps it.
    """
    rebuilt = Rebuild(program)
    backend: dict[Node, str] = {}

    def add(node: Node, names: dict[Value, Value], where: str) -> None:
        made = make(node.op, tuple(names[v] for v in node.operands), node.attrs)
        backend.setdefault(made, where)
        rebuilt.add(node, made, names)

    for node in program.graph.nodes:
        if node.op is not REGION:
            add(node, rebuilt.new, backend_of(node))
            continue
        body: Graph = node.kw["body"]
        names = {p: rebuilt.new[v] for p, v in zip(body.params, node.operands, strict=True)}
        for inner in body.nodes:
            add(inner, names, node.kw["backend"])
        rebuilt.new.update((v, names[r]) for v, r in zip(node.values, body.roots, strict=True))
    return Flat(rebuilt.finish(), backend)


# ----------------------------------------------------------------------------------------------- the grouping


def schedule(graph: Graph, work: Sequence[Node], backend: dict[Node, str]) -> Groups:
    """Groups of `work`, each for one back end, in an order in which they can run one after another.

    Each group takes all that can run once the groups before it have; with two back ends that alternate this gives
    the fewest groups for the back end that starts. Each is tried as the first, and the fewest groups win.
    """
    if not work:
        return []
    starts = sorted({backend[node] for node in work}, key=lambda b: (b != "xla", b))
    return min((_greedy(graph, work, backend, start) for start in starts), key=len)


def _greedy(graph: Graph, work: Sequence[Node], backend: dict[Node, str], start: str) -> Groups:
    known = {node: k for k, node in enumerate(work)}
    waiting: dict[Node, int] = {}
    readers: dict[Node, list[Node]] = {node: [] for node in work}
    ready: dict[str, deque[Node]] = {}
    for node in work:
        producers = {v.node for v in node.operands} & known.keys()
        waiting[node] = len(producers)
        for producer in producers:
            readers[producer].append(node)
        if not producers:
            ready.setdefault(backend[node], deque()).append(node)
    groups: Groups = []
    current = start
    done = 0
    while done < len(work):
        taken: list[Node] = []
        queue = ready.setdefault(current, deque())
        while queue:
            node = queue.popleft()
            taken.append(node)
            for reader in readers[node]:
                waiting[reader] -= 1
                if not waiting[reader]:
                    ready.setdefault(backend[reader], deque()).append(reader)
        if taken:
            groups.append((current, sorted(taken, key=known.__getitem__)))
            done += len(taken)
        current = max(ready, key=lambda b: (len(ready[b]), b))
    return groups


def _sink(graph: Graph, groups: Groups) -> Groups:
    """Move nodes to later groups of their back end where fewer bytes then cross between groups.

    Where as many bytes cross, a node moves too: the one before it may then do better.
    """
    if len(groups) < 2:
        return groups
    place = {node: k for k, (_, nodes) in enumerate(groups) for node in nodes}
    roots = set(graph.roots)
    # For each value, how many nodes of each group read it.
    reads: dict[Value, Counter[int]] = {}
    for node, k in place.items():
        for value in set(node.operands):
            reads.setdefault(value, Counter())[k] += 1

    def crosses(value: Value, home: int) -> bool:
        return value in roots or any(count and k != home for k, count in reads.get(value, Counter()).items())

    for k in range(len(groups) - 1, -1, -1):
        backend, nodes = groups[k]
        for node in reversed(nodes):
            readers = [j for value in node.values for j, count in reads.get(value, Counter()).items() if count]
            if not readers or min(readers) == k:
                continue
            target = max(j for j in range(k, min(readers) + 1) if groups[j][0] == backend)
            if target == k:
                continue
            operands = [v for v in set(node.operands) if v.node in place]
            before = [v for v in node.values if crosses(v, k)] + [v for v in operands if crosses(v, place[v.node])]
            for value in set(node.operands):
                reads[value][k] -= 1
                reads[value][target] += 1
            place[node] = target
            after = [v for v in node.values if crosses(v, target)] + [v for v in operands if crosses(v, place[v.node])]
            if costs.nbytes(after) > costs.nbytes(before):
                place[node] = k
                for value in set(node.operands):
                    reads[value][k] += 1
                    reads[value][target] -= 1
    moved: list[tuple[str, list[Node]]] = [(backend, []) for backend, _ in groups]
    for node in (n for n in graph.nodes if n in place):
        moved[place[node]][1].append(node)
    return [(backend, nodes) for backend, nodes in moved if nodes]


def _merged(groups: Groups) -> Groups:
    """Groups with neighbours on one back end united."""
    found: list[tuple[str, list[Node]]] = []
    for backend, nodes in groups:
        if found and found[-1][0] == backend:
            found[-1][1].extend(nodes)
        else:
            found.append((backend, list(nodes)))
    return list(found)


def _with_free_roots(graph: Graph, groups: Groups) -> Groups:
    """Groups that also compute the constants which are results themselves."""
    in_graph = set(graph.nodes)
    wanted = {v.node for v in graph.roots if v.node in in_graph and is_free(v.node)}
    if not wanted:
        return groups
    extra = [node for node in graph.nodes if node in wanted]
    if not groups:
        return [("xla", extra)]
    return [(groups[0][0], [*extra, *groups[0][1]]), *groups[1:]]


# --------------------------------------------------------------------------------------------- building them


def _regions(program: Program, groups: Groups) -> Program:
    graph = program.graph
    home = {node: k for k, (_, nodes) in enumerate(groups) for node in nodes}
    needed = set(graph.roots)
    results = set(graph.results)
    for k, (_, nodes) in enumerate(groups):
        crossing = {v for n in nodes for v in n.operands if v.node in home and home[v.node] != k}
        needed |= crossing
        results |= crossing
    rebuilt = Rebuild(program)
    for backend, nodes in groups:
        # Native code reads and writes where data says, which checks protect, and where the caller has its arrays.
        checks = [c for c in graph.checks if c.ok not in results] if backend == "native" else []
        region, outputs, inner = _region(backend, nodes, needed, rebuilt.new, checks)
        rebuilt.nodes.setdefault(region)
        for old, made in inner:
            rebuilt.credit(old, made)
            rebuilt.credit(old, region)
        rebuilt.new.update(zip(outputs, region.values, strict=True))
    return rebuilt.finish()


def _region(
    backend: str, nodes: Iterable[Node], needed: set[Value], new: dict[Value, Value], checks: Sequence[Check]
) -> tuple[Node, list[Value], list[tuple[Node, Node]]]:
    """The region that runs `nodes`, the values it hands out, and each node with the one it became inside.

    The conditions of `checks` that it computes it also tests.
    """
    inside: dict[Value, Value] = {}
    params: list[Value] = []
    handed_in: list[Value] = []
    inner: list[tuple[Node, Node]] = []
    outputs: list[Value] = []

    def add(node: Node) -> None:
        made = make(node.op, tuple(inside[v] for v in node.operands), node.attrs)
        inside.update(zip(node.values, made.values, strict=True))
        inner.append((node, made))

    for node in nodes:
        for value in node.operands:
            if value in inside:
                continue
            if is_free(value.node):
                for source in _free_chain(value.node):
                    if source.values[0] not in inside:
                        add(source)
            else:
                inside[value] = param(len(params), value.type)
                params.append(inside[value])
                handed_in.append(new[value])
        if node.values[0] not in inside:
            for source in _free_chain(node) if is_free(node) else [node]:
                if source.values[0] not in inside:
                    add(source)
        outputs.extend(v for v in node.values if v in needed)
    order = list(dict.fromkeys(made for _, made in inner))
    tested = [c for c in checks if c.ok in outputs]
    conditions = {c.ok for c in tested}
    outputs = [*(v for v in outputs if v not in conditions), *(c.ok for c in tested)]
    own = [Check(inside[c.ok], c.exception, c.message) for c in tested]
    body = Graph(params, [inside[v] for v in outputs[: len(outputs) - len(own)]], own, order)
    return make(REGION, tuple(handed_in), (("backend", backend), ("body", body))), outputs, inner


def _free_chain(node: Node) -> list[Node]:
    """A free node and those it is made of, operands first."""
    chain = [node]
    while chain[-1].operands:
        chain.append(chain[-1].operands[0].node)
    return chain[::-1]
