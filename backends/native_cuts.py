"""Where long element-wise formulas are cut: values that several others read.

A formula is computed wherever it is read. One that stands twice in the next, which stands twice in the one after that,
is as long as all ways through it, which soon is too long for what is done with formulas; to store it where that shows,
in whatever is lowered then, leaves the other ways to it as long as they were. So they are cut before, where all ways
meet. The same for functions of functions: a processor waits for each before it begins the next, and has no other
element to go on with where the formula is longer than what it looks ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from lazyarr.ir import extents
from lazyarr.ir.graph import Graph
from lazyarr.ir.node import Node, Value

#: Operations on all ways to an element, from which on a value that several others read is stored.
_WAYS = 500.0
#: Functions one after the other from which on any value is stored; one that several others read is where functions
#: come before and after it.
_CHAIN = 4
#: Operations of what counts as a function.
_FUNCTION = 10.0


def cuts(graph: Graph, stored: Collection[Value], generated: Callable[[Node], bool]) -> set[Value]:
    """The values that are to be stored beside those that are.

    Parameters
    ----------
    graph : Graph
    stored : collection of Value
        Element-wise values that get memory in any case.
    generated : callable
        Whether a node is element-wise work, whose results may be formulas.
    """
    found: set[Value] = set()
    readers: dict[Value, set[Node]] = {}
    #: Functions on the longest way from a value to what is stored.
    after: dict[Value, int] = {}
    for node in reversed(graph.nodes):
        if generated(node):
            above = max((after.get(v, 0) for v in node.values if v not in stored), default=0) + _is_function(node)
            for operand in node.operands:
                readers.setdefault(operand, set()).add(node)
                after[operand] = max(after.get(operand, 0), above)
    lengths: dict[Value, tuple[float, int]] = {}
    for node in graph.nodes:
        if not generated(node):
            continue
        parts = [lengths.get(v, (0.0, 0)) for v in node.operands]
        for value in node.values:
            ways = _flops(node) + sum(p[0] for p in parts)
            chain = max((p[1] for p in parts), default=0) + _is_function(node)
            if not value.type.shape or value in stored:
                continue
            shared = len(readers.get(value, ())) > 1
            between = chain > 0 and after.get(value, 0) > 0
            if (shared and (ways >= _WAYS or between)) or chain >= _CHAIN:
                found.add(value)
            else:
                lengths[value] = ways, chain
    return found


def _flops(node: Node) -> float:
    """Operations for an element of the result."""
    size = np.prod([extents.bound(n) for n in node.types[0].shape], dtype=float)
    return float(node.cost.flops) / max(1.0, float(size))


def _is_function(node: Node) -> bool:
    return _flops(node) >= _FUNCTION
