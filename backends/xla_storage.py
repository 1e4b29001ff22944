"""Which values XLA has to keep in memory, because computing them again wherever they are read costs more.

XLA on the CPU fuses a producer into each loop that reads it and, there, into each place it is read at: a chain of
stencils (``u[1:-1] += k * (u[2:] - 2 * u[1:-1] + u[:-2])``, repeated) would be computed again and again back to its
start. What is read in several ways and took more arithmetic than a trip through memory is therefore stored.
"""

from __future__ import annotations

from typing import Any

from lazyarr.ir.access import Along
from lazyarr.ir.graph import Graph
from lazyarr.ir.node import Node, Value

#: Arithmetic operations an element that are worth as much as writing it to memory and reading it back. What storing is
#: worth: 50 diffusion sweeps over 344 x 403 float64 on two cores, 1.7 s without it (32 s to compile), 0.03 s with
#: it (0.8 s to compile).
WORTH_STORING = 8.0


def stored(graph: Graph) -> set[Value]:
    """The values of `graph` to keep in memory.

    A value counts as often as it is read in a different way (at another offset, by another loop); how, its
    readers' declared access says. One that is kept costs its readers nothing. What is written into a slice of an
    array is read there by whoever else needs it, so the two are stored once, as the array.
    """
    roots = set(graph.roots)
    ways: dict[Value, set[Any]] = {}
    written: dict[Value, Node] = {}
    for node in graph.nodes:
        for value, entry in zip(node.operands, node.access, strict=True):
            # Along all axes: a loop that reads here computes the value at that offset. Otherwise a loop of its own.
            moves = all(isinstance(axis, Along) for axis in entry)
            ways.setdefault(value, set()).add(entry if moves else node)
        if writes_slice(node) and node.operands[1] not in roots:
            written.setdefault(node.operands[1], node)
    found: set[Value] = set()
    work: dict[Value, float] = {}
    for node in graph.nodes:
        mine = _flops_per_element(node) + sum(work.get(v, 0.0) for v in set(node.operands))
        for value in node.values:
            times = len(ways.get(value, ())) + (value in roots)
            if writes_slice(node) and written.get(node.operands[1]) is node:
                times += len(ways[node.operands[1]]) - 1
            if value in written or not value.type.shape or mine * (times - 1) <= WORTH_STORING:
                work[value] = mine
            else:
                found.add(value)
                if writes_slice(node):
                    work[node.operands[1]] = 0.0
    return found


def writes_slice(node: Node) -> bool:
    """Whether a node's second operand is the slice of its result that it has written."""
    return node.op.name == "update_slice"


def _flops_per_element(node: Node) -> float:
    size = max([1, *(t.bounded.size for t in node.types)])
    return float(node.cost.flops) / float(size)
