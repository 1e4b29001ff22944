"""What is stored: decided for each graph before it is lowered, from who reads what and how often."""

from __future__ import annotations

import numpy as np

from lazyarr.backends import native_scalar
from lazyarr.backends.native_views import VIEWS
from lazyarr.ir import extents
from lazyarr.ir.graph import Graph
from lazyarr.ir.node import Node, Value

#: Views that cost nothing to see through.
MOVES = {"window", "slice", "dynamic_slice", "transpose", "expand", "diagonal", "as_extents"}
SPREADS = {"broadcast", "spread"}
#: Their second operand becomes a window of the first.
WINDOW_WRITERS = {"put_window", "update_slice", "dynamic_update_slice"}
#: Made again wherever they are read.
_FREE = {"full", "iota", "count", "const"}
#: A statement, and through which views it reads.
Site = tuple[Node | str, tuple[Node, ...]]
_MOST = 3


def generated(node: Node) -> bool:
    """Whether `node` is element-wise work that is generated."""
    return (node.op.pointwise or node.op.name == "exact") and native_scalar.generator(node) is not None


class Plan:
    """Which values of a graph are stored.

    Attributes
    ----------
    stored : set of Value
        Those that get memory; element-wise values that are not among them are computed where they are read.
    written : dict of Value to Node
        Stored values that a node writes into a window of an array: that window is to be their memory.
    """

    def __init__(self, graph: Graph):
        self.stored: set[Value] = set()
        self.written: dict[Value, Node] = {}
        sites: dict[Value, list[Site]] = {}
        for root in graph.roots:
            sites.setdefault(root, []).append(("root", ()))
        writers = {n.operands[1]: n for n in graph.nodes if n.op.name in WINDOW_WRITERS and n.operands[1].type.shape}
        apart = _taken_apart(graph)
        for node in reversed(graph.nodes):
            for value in node.values:
                if value in apart:
                    continue
                if value.type.shape and self._is_stored(node, sites.get(value, [])):
                    self.stored.add(value)
                    if value in writers and generated(node):
                        self.written[value] = writers[value]
            for at, operand in enumerate(node.operands):
                if operand.type.shape:
                    sites.setdefault(operand, []).extend(self._sites(node, at, operand, sites))

    def _is_stored(self, node: Node, sites: list[Site]) -> bool:
        name = node.op.name
        if name in _FREE:
            return False
        if any(site[0] == "root" for site in sites):
            return True
        if name in VIEWS and name not in ("gather", "roll"):
            return False
        return len(set(sites)) > 1

    def _sites(self, node: Node, at: int, operand: Value, sites: dict[Value, list[Site]]) -> list[Site]:
        """Where reading `operand` by `node` happens."""
        name = node.op.name
        result = node.values[0]
        if name in MOVES and at == 0:
            return [(root, (*path, node)) for root, path in sites.get(result, [])[:_MOST]]
        if name in SPREADS and at == 0:
            return [(node, ()), (node, (node,))]  # Read many times: stored.
        if name == "reshape":
            return [(node, ())]
        if name in ("gather", "roll"):
            if name == "gather" and at == 0:
                return [(node, ()), (node, (node,))]
            if result in self.stored:
                return [(node, ())]
            return [(root, (*path, node)) for root, path in sites.get(result, [])[:_MOST]]
        if generated(node):
            if _expands(operand, result):
                return [(node, ()), (node, (node,))]
            found: list[Site] = []
            for value in node.values:
                found.extend([(node, ())] if value in self.stored else sites.get(value, [])[:_MOST])
            return found
        if name in WINDOW_WRITERS and at == 1:
            return [(node, ())]
        if name == "reduce":
            return [(node, ())]
        if name == "matmul" and all(v.type.ndim == 1 for v in node.operands):
            return [(node, ())]
        if name in ("pad", "concatenate", "accumulate", "flatnonzero"):
            return [(node, ())]
        if name == "scatter" and at > 0:
            # Indices are read again for each element of a block.
            blocks = node.operands[0].type.ndim > len(node.kw["axes"])
            return [("root", ())] if at > 1 and blocks else [(node, ())]
        return [("root", ())]


def _expands(operand: Value, result: Value) -> bool:
    """Whether elements of `operand` are read for several elements of the result."""
    sizes = [float(np.prod([extents.bound(n) for n in v.type.shape], dtype=float)) for v in (operand, result)]
    return sizes[0] < sizes[1]


def _taken_apart(graph: Graph) -> set[Value]:
    """Row and column numbers made of positions in a flattened array, which gathering and scattering put together again.

    They are not stored; should one be needed after all, it is computed there.
    """
    users: dict[Value, list[tuple[Node, int]]] = {}
    for node in graph.nodes:
        for k, operand in enumerate(node.operands):
            users.setdefault(operand, []).append((node, k))
    found: set[Value] = set()
    for node in graph.nodes:
        value = node.values[0]
        if node.op.name not in ("floor_divide", "remainder") or not value.type.shape or value in graph.roots:
            continue
        positions, divisor = node.operands
        if positions.node.op.name != "flatnonzero" or divisor.node.op.name != "const":
            continue
        first = {"gather": 1, "scatter": 2}
        if all(
            user.op.name in first and k >= first[user.op.name] and len(user.kw["axes"]) == 2
            and user.operands[0].type.ndim == 2 for user, k in users.get(value, ())
        ):  # fmt: skip
            found.add(value)
    return found
