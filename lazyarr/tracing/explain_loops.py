"""How compiled loops are done, and why their iterations follow one another where they do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lazyarr.backends import native_make, native_threads
from lazyarr.ir.graph import Graph, Line, Program
from lazyarr.ir.node import Node
from lazyarr.ir.rewrite import all_nodes
from lazyarr.passes.independent import dependences
from lazyarr.tracing.origins import LOOPS, Ranges, within

_WAYS = {
    "points": "point by point: each goes through all iterations",
    "blocks": "block by block: each goes through all iterations",
    "passes": "several iterations are one pass over memory",
    "shared": "threads share the iterations",
}


def loop_ways(program: Program, ranges: Ranges, loops: Iterable[Line]) -> dict[Line, str]:
    """How the loops of a program are done, by the line of each, where that is known.

    Parameters
    ----------
    program : Program
        After the passes.
    ranges : sequence of (str, int, int)
        The functions that it was recorded from.
    loops : iterable of (str, int)
        The lines that loops begin at.
    """
    found: dict[Line, str] = {}
    places = set(loops)
    for region in program.graph.nodes:
        body: Graph = region.kw["body"]
        if region.kw["backend"] != "native":
            continue
        ways, reasons = native_make.ways(body), dependences(body)
        for node in all_nodes(body):
            if node.op.name not in LOOPS:
                continue
            lines = {*program.lines(node), *within(node.lines, ranges)} & places
            if lines:
                found.setdefault(min(lines), _way(node, ways, reasons, program, ranges))
    return found


def _way(
    node: Node, ways: Mapping[Node, str], reasons: Mapping[Node, tuple[str, Node | None]], program: Program,
    ranges: Ranges,
) -> str:  # fmt: skip
    if node in ways:
        return _WAYS[ways[node]]
    if node.op.name == "while" or node.kw["until"] >= 0:
        return "iterations follow one another: data decides which is the last"
    if node not in reasons:
        few = native_threads.threads() > 1
        return "iterations are independent" + (", and too short for threads, or within one of theirs" if few else "")
    why, cause = reasons[node]
    lines = sorted({*program.lines(cause), *within(cause.lines, ranges)}) if cause is not None else []
    at = f" (line {lines[0][1]})" if lines else ""
    return f"iterations follow one another: {why}{at}"
