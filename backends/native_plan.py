"""What is stored: decided for each graph before it is lowered, from who reads what and how often."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lazyarr.backends import native_cuts, native_groups, native_joins, native_scalar, native_selections, native_totals
from lazyarr.backends.native_patched import MOST
from lazyarr.backends.native_views import VIEWS
from lazyarr.ir import extents
from lazyarr.ir.graph import Graph
from lazyarr.ir.node import Node, Value

#: Views that cost nothing to see through.
MOVES = {"window", "slice", "dynamic_slice", "transpose", "expand", "diagonal", "as_extents"}
SPREADS = {"broadcast", "spread"}
#: Their second operand becomes a window of the first.
WINDOW_WRITERS = {"put_window", "update_slice", "dynamic_update_slice"}
#: What accesses memory by data: not before the checks that come before it.
ORDERED = {"window", "put_window", "loop", "while", "cond", "spread", "count", "as_extents", "region"}
#: Made again wherever they are read.
_FREE = {"full", "iota", "count", "const"}
#: A statement, and through which views it reads: a node, or by how much the indices are moved.
Step = Node | tuple[int, ...] | str
Site = tuple[Node | str, tuple[Step, ...]]
#: Sites of a value that are looked at: one of more is stored.
_MOST = 6
#: A step of a site that reads elements more than once.
_MANY = "many"
#: A value that one statement reads in several places is computed again there if that takes so little arithmetic, and
#: reads so few arrays: storing it costs a pass over memory.
_AGAIN_PLACES, _AGAIN_FLOPS, _AGAIN_READS = 3, 8.0, 6
#: Bytes of arrays that are not in a cache of one core when they are read again.
_BEYOND = 1 << 22
#: Arithmetic of an element from which on what a mask selects is computed before: by all threads, not in the one pass.
_SELECTED_FLOPS = 24.0


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
    merged : set of Value
        Arrays with a part replaced of which only another one, or a formula, is made: nothing is written for them.
    selections : dict of Node to Selection
        What is read at the True elements of masks, by what counts these.
    flattened : set of Value
        Reshaped arrays that only a selection reads: they stay formulas if they can.
    totals : dict of Node to Totals
        Reductions that are one pass, by the first of them; only if asked for.
    cuts : set of Value
        Element-wise values that are stored because formulas of them would be too long.
    joins : dict of Node to Join
        Products of a matrix with vectors that are one pass over it, by what begins that; only if asked for.
    """

    def __init__(self, graph: Graph, totals: bool = False, joins: bool = False):
        self._graph = graph
        self.stored: set[Value] = set()
        self.written: dict[Value, Node] = {}
        self.merged: set[Value] = set()
        self.selections = native_selections.find(graph)
        self.flattened: set[Value] = set()
        self._selecting = {node: s.total for s in self.selections.values() for node in s.nodes}
        for first in self.selections.values():
            if first.rest is not None:
                self._selecting.update(dict.fromkeys((first.rest.total, *first.rest.nodes), first.total))
        #: (Selections have an order of their own.)
        self.totals: dict[Node, native_totals.Totals] = {}
        fixed = ORDERED | WINDOW_WRITERS | {"scatter"}
        if totals and not self.selections:
            self.totals = native_totals.find(graph, {n for n in graph.nodes if generated(n)}, fixed)
        self._begins = {m: first for first, group in self.totals.items() for m in group.members}
        self._cuts: dict[Node, list[set[int]]] = {}
        self._costs: dict[Value, tuple[float, int]] = {}
        sites: dict[Value, list[Site]] = {}
        for root in graph.roots:
            sites.setdefault(root, []).append(("root", ()))
        self._writers = writers = {
            n.operands[1]: n for n in graph.nodes if n.op.name in WINDOW_WRITERS and n.operands[1].type.shape
        }
        apart = _taken_apart(graph)
        for node in reversed(graph.nodes):
            for value in node.values:
                if value in apart:
                    continue
                if value.type.shape and self._is_stored(node, value, sites.get(value, [])):
                    self.stored.add(value)
                    if value in writers and generated(node) and writers[value].values[0] not in self.merged:
                        self.written[value] = writers[value]
            for at, operand in enumerate(node.operands):
                if operand.type.shape:
                    known = sites.setdefault(operand, [])
                    known.extend(s for s in dict.fromkeys(self._sites(node, at, operand, sites)) if s not in known)
        self.joins: dict[Node, native_joins.Join] = {}
        if joins and not self.selections:
            computed = {v for v in self.stored - set(self.written) if generated(v.node) and len(v.node.values) == 1}
            self.joins = native_joins.find(graph, computed, fixed, self.totals)
        self.cuts = native_cuts.cuts(graph, self.stored, generated)
        #: What is done together with a node.
        self.groups: dict[Node, native_groups.Group] = {**self.totals, **self.joins}

    def _is_stored(self, node: Node, value: Value, sites: list[Site]) -> bool:
        name = node.op.name
        if name in _FREE:
            return False
        if any(site[0] == "root" for site in sites):
            return True
        if name in VIEWS and name not in ("gather", "roll"):
            if name == "reshape" and len(sites) == 1 and sites[0][0] in self.selections and not sites[0][1]:
                self.flattened.add(value)
            return False
        if name in WINDOW_WRITERS:
            if not self._merges(node, sites):
                return True
            self.merged.add(value)
            return False
        if len(sites) == 1 and sites[0][0] in self.selections and self._cost(value)[0] > _SELECTED_FLOPS:
            return True
        return len(sites) > 1 and not self._again(node, value, sites) and not self._as_its_source(node, value, sites)

    def _merges(self, node: Node, sites: list[Site]) -> bool:
        """Whether a write is left to the one statement that reads the array: it passes over all of it anyway."""
        if len(sites) != 1 or not _slice_written(node):
            return False
        shape, window = node.types[0].shape, node.operands[1].type.shape
        if 2 * int(np.prod(window)) < int(np.prod(shape)):
            return False
        root, path = sites[0]
        if not isinstance(root, Node) or not (generated(root) or _slice_written(root)):
            return False
        moved = path[0] if path else (0,) * len(shape)
        if len(path) > 1 or not isinstance(moved, tuple):
            return False
        cuts = self._cuts.setdefault(root, [set() for _ in shape])
        if len(cuts) != len(shape):
            return False
        if root.op.name == "update_slice" and 2 * int(np.prod(root.operands[1].type.shape)) < int(np.prod(shape)):
            return False
        lows = [a - by for a, by in zip(node.kw["start"], moved, strict=True)]
        both = [known | {low, low + n} for known, low, n in zip(cuts, lows, window, strict=True)]
        if np.prod([len(c) + 1 for c in both]) > MOST:
            return False
        self._cuts[root] = both
        return True

    def _again(self, node: Node, value: Value, sites: list[Site]) -> bool:
        """Whether a value that one statement reads in several places is computed at each of them."""
        root = sites[0][0]
        if len(sites) > _AGAIN_PLACES or not isinstance(root, Node) or not generated(node):
            return False
        if any(site[0] is not root or _MANY in site[1] for site in sites):
            return False
        if not (generated(root) or _slice_written(root)):
            return False
        writer = self._writers.get(value)
        if writer is not None and writer.values[0] not in self.merged:
            return False
        flops, reads = self._cost(value)
        return (len(sites) - 1) * flops <= _AGAIN_FLOPS and reads <= _AGAIN_READS

    def _as_its_source(self, node: Node, value: Value, sites: list[Site]) -> bool:
        """Whether reading a value costs no more than a little arithmetic on the one array that it is made of.

        That is so beyond the caches, where storing it costs a pass over memory more.
        """
        if not generated(node) or not extents.is_static(value.type.shape) or value in self._writers:
            return False
        size = int(np.prod(value.type.shape, dtype=object)) * value.type.dtype.itemsize
        if size < _BEYOND or self._cost(value)[0] > _AGAIN_FLOPS or len(sites) > _MOST:
            return False
        if not all(isinstance(root, Node) and (root.op.name == "reduce" or generated(root)) and not path
                   for root, path in sites):  # fmt: skip
            return False
        sources = self._sources(value)
        return sources is not None and len(sources) == 1 and all(
            v.type.shape == value.type.shape and v.type.dtype.itemsize <= value.type.dtype.itemsize for v in sources
        )

    def _sources(self, value: Value) -> set[Value] | None:
        """The arrays that a formula reads element for element; None if it reads otherwise."""
        node = value.node
        if not generated(node):
            return None if node.op.name in MOVES or node.op.name in SPREADS or node.op.name in VIEWS else {value}
        found: set[Value] = set()
        for operand in node.operands:
            if operand.type.shape:
                below = self._sources(operand)
                if below is None:
                    return None
                found |= below
        return found

    def _cost(self, value: Value) -> tuple[float, int]:
        """Arithmetic of an element, and how many are read for it, if nothing on the way is stored."""
        if not self._costs:
            # All in order: formulas stand in one another deeper than Python calls may.
            for node in self._graph.nodes:
                for result in node.values:
                    self._costs[result] = self._cost_of(node, result)
        return self._costs.get(value, (0.0, 1))

    def _cost_of(self, node: Node, value: Value) -> tuple[float, int]:
        known = self._costs
        if generated(node):
            parts = [known.get(v, (0.0, 1)) for v in node.operands if v.type.shape]
            size = max(1.0, float(np.prod([extents.bound(n) for n in value.type.shape], dtype=float)))
            return float(node.cost.flops) / size + sum(p[0] for p in parts), sum(p[1] for p in parts)
        if node.op.name in MOVES or node.op.name in SPREADS:
            return known.get(node.operands[0], (0.0, 1))
        return 0.0, 1

    def _sites(self, node: Node, at: int, operand: Value, sites: dict[Value, list[Site]]) -> list[Site]:
        """Where reading `operand` by `node` happens."""
        name = node.op.name
        result = node.values[0]
        if node in self._selecting and at == 0:
            return [(self._selecting[node], ())]
        if name == "slice" and set(node.kw["step"]) <= {1}:
            return [_moved(site, node.kw["start"], 1) for site in sites.get(result, [])[:_MOST]]
        if name in MOVES and at == 0:
            return [(root, (*path, node)) for root, path in sites.get(result, [])[:_MOST]]
        if name in SPREADS and at == 0:
            return [(node, ()), (node, (_MANY,))]  # Read many times: stored.
        if name == "reshape":
            return [(node, ())]
        if name in ("gather", "roll"):
            if name == "gather" and at == 0:
                return [(node, ()), (node, (_MANY,))]
            if result in self.stored:
                return [(node, ())]
            return [(root, (*path, node)) for root, path in sites.get(result, [])[:_MOST]]
        if generated(node):
            if _expands(operand, result):
                return [(node, ()), (node, (_MANY,))]
            found: list[Site] = []
            for value in node.values:
                found.extend([(node, ())] if value in self.stored else sites.get(value, [])[:_MOST])
            return found
        if name in WINDOW_WRITERS and at < 2:
            if not _slice_written(node):
                return [(node, ())] if at == 1 else [("root", ())]
            found = sites.get(result, [])[:1] if result in self.merged else [(node, ())]
            return [_moved(site, node.kw["start"], -1) for site in found] if at == 1 else found
        if name in ("reduce", "column_sums"):
            return [(self._begins.get(node, node), ())]
        if name == "matmul" and all(v.type.ndim == 1 for v in node.operands):
            return [(node, ())]
        if name == "matmul" and operand.type.ndim == 2 and node.types[0].shape and node.types[0].ndim == 1:
            return [(node, ())]
        if name in ("pad", "concatenate", "accumulate", "flatnonzero"):
            return [(node, ())]
        if name == "scatter" and at > 0:
            # Indices are read again for each element of a block.
            blocks = node.operands[0].type.ndim > len(node.kw["axes"])
            return [("root", ())] if at > 1 and blocks else [(node, ())]
        return [("root", ())]


def _slice_written(node: Node) -> bool:
    """Whether a node replaces a slice without gaps, at a place that is known."""
    if node.op.name != "update_slice" or set(node.kw["step"]) != {1}:
        return False
    types = (node.types[0], node.operands[1].type)
    return all(extents.is_static(t.shape) and t.shape and 0 not in t.shape for t in types)


def _moved(site: Site, by: Sequence[int], sign: int) -> Site:
    """A site of what is moved: steps that only add to indices are one, or none."""
    root, path = site
    step = tuple(sign * int(b) for b in by)
    if path and isinstance(path[-1], tuple) and len(path[-1]) == len(step):
        step = tuple(a + b for a, b in zip(path[-1], step, strict=True))
        path = path[:-1]
    return root, (*path, step) if any(step) else path


def in_memory(graph: Graph) -> set[Value]:
    """The values that get memory, of element-wise work and of what else there is."""
    found = set(Plan(graph).stored)
    for node in graph.nodes:
        if not generated(node) and node.op.name not in VIEWS and node.op.name not in _FREE:
            found.update(value for value in node.values if value.type.shape)
    return found


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
