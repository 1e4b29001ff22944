"""Numbers that a loop in Python writes into one expression after another: inputs of a program, not constants of many.

``np.sin(k * x) / k`` is another graph for each `k`, as recorded. (Python's floats are operands from the beginning.)
Where graphs come that differ in numbers alone, those that differ become parameters, so that the next ones are one
graph, which is compiled, and split over ranks, once.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np

from lazyarr.ir.graph import Check, Graph, Program, param, users
from lazyarr.ir.node import Node, Value, make
from lazyarr.leaves import Leaf
from lazyarr.ops.create import CONST
from lazyarr.ops.elementwise import ELEMENTWISE

#: Graphs that are remembered without their numbers.
_LIMIT = 512
#: What has come so often as it is is not looked at any more.
_OFTEN = 3
#: What is another operation for each number: squares are products.
_POWERS = frozenset(ELEMENTWISE[name] for name in ("power", "float_power") if name in ELEMENTWISE)


class Numbers:
    """Which numbers of graphs vary; safe from many threads."""

    def __init__(self) -> None:
        #: Graphs with a parameter for each number, and how many numbers these stand for (``x * 2.5 + 3`` has an input
        #: where ``x * 2 + 3`` has a number) -> the last graph's numbers, and which have not always been these.
        self._known: OrderedDict[tuple[Graph, int], tuple[tuple[Node, ...], tuple[bool, ...]]] = OrderedDict()
        #: How often graphs came of which no number has varied.
        self._same: OrderedDict[Graph, int] = OrderedDict()
        self._lock = threading.Lock()

    def lifted(self, program: Program, leaves: list[Leaf]) -> tuple[Program, list[Leaf]]:
        """A program with parameters for those numbers that have varied, and the leaf behind each parameter."""
        graph = program.graph
        with self._lock:
            if self._same.get(graph, 0) >= _OFTEN:
                self._same.move_to_end(graph)
                return program, leaves
        found = _numbers(graph)
        if not found:
            return program, leaves
        new: dict[Node, Node] = {}
        general = _with_parameters(graph, found, new)
        with self._lock:
            key = general, len(found)
            before, varies = self._known.pop(key, (found, (False,) * len(found)))
            varies = tuple(v or a is not b for v, a, b in zip(varies, before, found, strict=True))
            self._known[key] = found, varies
            if not any(varies):
                self._same[graph] = self._same.pop(graph, 0) + 1
            for known in (self._known, self._same):
                if len(known) > _LIMIT:
                    known.popitem(last=False)
        if not any(varies):
            return program, leaves
        wanted = tuple(node for node, v in zip(found, varies, strict=True) if v)
        if wanted != found:
            new = {}
            general = _with_parameters(graph, wanted, new)
        origins = {new[node]: lines for node, lines in program.origins.items() if node not in wanted}
        given = [Leaf(np.asarray(node.kw["value"].value), node.types[0]) for node in wanted]
        return Program(general, origins), [*leaves, *given]

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._known.clear()
            self._same.clear()


def _numbers(graph: Graph) -> tuple[Node, ...]:
    """The constants of a graph that only element-wise operations take, in its order."""
    constants = [node for node in graph.nodes if node.op is CONST and node.types[0].dtype.kind in "iufc"]
    if not constants:
        return ()
    read, roots = users(graph), {value.node for value in graph.roots}
    return tuple(
        node for node in constants
        if node not in roots and all(user.op.pointwise and user.op not in _POWERS for user in read[node])
    )  # fmt: skip


def _with_parameters(graph: Graph, numbers: tuple[Node, ...], made: dict[Node, Node]) -> Graph:
    """A graph with more parameters, in the place of constants; `made` gets what stands for each of its nodes."""
    inputs = list(graph.params)
    for value in graph.params:
        made[value.node] = value.node
    for node in numbers:
        inputs.append(param(len(inputs), node.types[0]))
        made[node] = inputs[-1].node
    for node in graph.nodes:
        if node not in made:
            made[node] = make(node.op, tuple([Value(made[v.node], v.index) for v in node.operands]), node.attrs)
    checks = [Check(Value(made[c.ok.node], c.ok.index), c.exception, c.message) for c in graph.checks]
    return Graph(inputs, [Value(made[v.node], v.index) for v in graph.results], checks)


numbers = Numbers()
