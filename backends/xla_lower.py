"""XLA: a graph as a function on jax arrays, for jax to trace; the regions in it as functions for its operations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lazyarr.backends.xla_storage import stored, writes_slice
from lazyarr.backends.xla_written import Box, Written, whole, writes_later
from lazyarr.ir.extents import Length, is_static
from lazyarr.ir.graph import Check, Graph
from lazyarr.ir.node import Node, Value, make
from lazyarr.ir.op import lookup
from lazyarr.ir.types import ArrayType, bounded
from lazyarr.ops.create import CONST
from lazyarr.ops.loops import LOOP, WHILE
from lazyarr.ops.window import WINDOW
from lazyarr.ops.xla_lengths import fit
from lazyarr.ops.xla_loops import Checked, Failed, first_failed


class Lowering:
    """How one graph is lowered, regions included.

    Attributes
    ----------
    graph : Graph
    checks : list of Check
        Those in regions; the program tells the position of the first that failed, from 1 on.
    lengths : tuple of Value
        The run-time lengths in the types of the graph's roots.
    """

    def __init__(self, jax: Any, graph: Graph):
        self._jax = jax
        self.graph = graph
        self.checks = list(dict.fromkeys(_inner_checks(graph)))
        self._numbers = {check: k for k, check in enumerate(self.checks, 1)}
        found = (n.scalar for root in graph.roots for n in root.type.shape if isinstance(n, Length))
        self.lengths = tuple(dict.fromkeys(found))

    def __call__(self, *arguments: Any) -> tuple[Any, ...]:
        """The graph's roots, then their lengths, then the number of the check that failed if there are any."""
        found = self._run(self.graph, (*self.graph.roots, *self.lengths), arguments)
        if not self.checks:
            return found.results
        return (*found.results, np.int32(0) if found.failed is None else found.failed)

    def _run(self, graph: Graph, roots: Sequence[Value], arguments: Sequence[Any]) -> Checked:
        jax = self._jax
        keep = stored(graph)
        results = set(roots)
        failed: Failed = None
        values: dict[Value, Any] = dict(zip(graph.params, arguments, strict=True))
        for node in graph.nodes:
            if writes_later(node) and is_static(node.types[0].shape):
                array, value, *places = self._operands(node, values, written=True)
                found = array if isinstance(array, Written) else Written(array)
                box = Box(node.operands[2:], node.kw["dims"], places, value)
                values[node.values[0]] = found.with_box(jax, box)
                continue
            outcome = self._evaluate(node, self._operands(node, values, written=node.op is WINDOW))
            failed = first_failed(jax, failed, outcome.failed)
            for index, array in enumerate(outcome.results):
                value = Value(node, index)
                values[value] = jax.lax.optimization_barrier(array) if value in keep else array
            if writes_slice(node) and node.values[0] in keep and node.operands[1] not in results:
                # What was written is in memory now; who reads it later reads it there.
                (read,) = self._evaluate(_slice_of(node), [values[node.values[0]]]).results
                values[node.operands[1]] = read
        # Together: what one array is read for may be written into another.
        late = [root for root in dict.fromkeys(roots) if isinstance(values[root], Written)]
        values.update(zip(late, whole(jax, [values[root] for root in late]), strict=True))
        return Checked(tuple(values[root] for root in roots), failed)

    def _operands(self, node: Node, values: dict[Value, Any], written: bool = False) -> list[Any]:
        """The operands of a node. Axes of one run-time length are equally long, as the least bound of it says.

        With `written` the first may be `Written`.
        """
        arrays = [values[v] if written and not k else self._whole(v, values) for k, v in enumerate(node.operands)]
        if node.op.dependent:
            # Bounds of loops and places of windows: what is known of them makes other code.
            consts = [v.node.kw["value"].value if v.node.op is CONST else None for v in node.operands]
            arrays = [x if c is None else c for x, c in zip(arrays, consts, strict=True)]
        types = [v.type for v in node.operands]
        if all(is_static(t.shape) for t in types) or any(True for _ in node.regions):
            return arrays
        arrays = [fit(self._jax, x, t.shape) for x, t in zip(arrays, bounded(types), strict=True)]
        if node.op.padded is None:
            return arrays
        lengths = [tuple(values[n.scalar] if isinstance(n, Length) else None for n in t.shape) for t in types]
        return list(node.op.padded(self._jax, arrays, lengths, **node.kw))

    def _whole(self, value: Value, values: dict[Value, Any]) -> Any:
        """An array, with what is still to be written."""
        found = values[value]
        if isinstance(found, Written):
            (found,) = whole(self._jax, [found])
            values[value] = found
        return found

    def _evaluate(self, node: Node, arguments: list[Any]) -> Checked:
        jax = self._jax
        attrs = node.kw
        if any(True for _ in node.regions):
            attrs = {k: _Region(self, v) if isinstance(v, Graph) else v for k, v in attrs.items()}
        if arguments and isinstance(arguments[0], Written):
            found = arguments[0].window(jax, arguments[1:], node.kw["dims"])
        elif node.op.jax is not None:
            found = node.op.jax(jax, *arguments, **attrs)
        else:
            found = node.op.evaluate(jax.numpy, *arguments, **attrs)
        if not isinstance(found, Checked):
            found = Checked(tuple(found) if isinstance(found, (tuple, list)) else (found,), None)
        results = tuple(_of_type(jax, r, t, node) for r, t in zip(found.results, node.types, strict=True))
        return Checked(results, found.failed)


class _Region:
    """A graph among the attributes of a node, see `lazyarr.ops.xla_loops.Region`."""

    def __init__(self, lowering: Lowering, graph: Graph):
        self._lowering = lowering
        self._graph = graph
        self.checked = bool(graph.checks) or any(True for _ in _inner_checks(graph))
        self.work = _work(graph)

    def __call__(self, *arrays: Any) -> Checked:
        lowering, graph = self._lowering, self._graph
        jax = lowering._jax
        given = [_of_type(jax, x, p.type, p.node) for x, p in zip(arrays, graph.params, strict=True)]
        found = lowering._run(graph, graph.roots, given)
        failed = found.failed
        oks = found.results[len(graph.results) :]
        for check, ok in zip(graph.checks, oks, strict=True):
            number = jax.numpy.where(ok, np.int32(0), np.int32(lowering._numbers[check]))
            failed = first_failed(jax, failed, number)
        return Checked(found.results[: len(graph.results)], failed)


def _inner_checks(graph: Graph) -> Iterator[Check]:
    """The checks of the graphs in a graph."""
    for node in graph.nodes:
        for region in node.regions:
            yield from region.checks
            yield from _inner_checks(region)


def _work(graph: Graph) -> float:
    """Operations and words moved of one run; infinity if there are loops, of which nobody knows how long they are."""
    total = 0.0
    for node in graph.nodes:
        if node.op in (LOOP, WHILE):
            return math.inf
        total += float(node.cost.flops) + float(node.cost.bytes) / 8
    return total


def _slice_of(update: Node) -> Node:
    """The slice that reads what an update_slice has written."""
    return make(lookup("slice"), update.values[:1], update.attrs)


def _of_type(jax: Any, array: Any, type: ArrayType, node: Node) -> Any:
    array = jax.numpy.asarray(array)
    shape = type.bounded.shape
    if array.shape != shape and is_static(type.shape):
        raise AssertionError(f"{node.op.name} gave shape {array.shape} in XLA, its type rule says {type}")
    array = fit(jax, array, shape)
    # (A weak scalar of jax's would be another type to the loop that carries it.)
    same = array.dtype == type.dtype and not getattr(array, "weak_type", False)
    return array if same else jax.lax.convert_element_type(array, type.dtype)


