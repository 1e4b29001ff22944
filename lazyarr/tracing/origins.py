"""The user's lines of what stands in loops and branches: passes keep a table for the outermost graph only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lazyarr.ir.graph import Check, Graph, Line, Program
from lazyarr.ir.node import Node

#: File, first and last line of functions.
Ranges = Sequence[tuple[str, int, int]]
#: The operations that are loops.
LOOPS = ("loop", "while")


def within(lines: Iterable[Line], ranges: Ranges) -> set[Line]:
    """Those of the lines that belong to the functions: equal work of other functions is one node with it."""
    return {(f, n) for f, n in lines if any(f == file and first <= n <= last for file, first, last in ranges)}


def graphs_in(graph: Graph) -> Iterator[Graph]:
    """The graphs of loops and branches in a graph, to any depth."""
    for node in graph.nodes:
        for inner in node.regions:
            yield inner
            yield from graphs_in(inner)


def has_loops(graph: Graph) -> bool:
    """Whether there are loops in a graph, in branches too: how long it takes is not known from how it looks."""
    return any(node.op.name in LOOPS for g in (graph, *graphs_in(graph)) for node in g.nodes)


def lines_in(node: Node, ranges: Ranges) -> set[Line]:
    """The lines of everything in the loops and branches that a node is, as recorded."""
    found: set[Line] = set()
    for graph in (g for region in node.regions for g in (region, *graphs_in(region))):
        for inner in graph.nodes:
            found |= within(inner.lines, ranges)
    return found


def failing_lines(program: Program, check: Check, ranges: Ranges) -> set[Line]:
    """The lines of the checks of a program, as recorded, that say what `check` says."""
    found: set[Line] = set()
    for graph in (program.graph, *graphs_in(program.graph)):
        for one in graph.checks:
            if (one.exception, one.message) == (check.exception, check.message):
                found |= within(one.ok.node.lines, ranges)
                if graph is program.graph:
                    found |= set(program.lines(one.ok.node))
    return found
