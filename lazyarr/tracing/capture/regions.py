"""Closing what was recorded in a loop or a branch into a graph of its own.

While a body is traced, its nodes refer to the nodes around it. A region is closed: what it takes from outside becomes
an operand. What a loop's body computes from such operands alone is computed once, outside: but for what reads or writes
at a place that a check of the body has to allow first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from weakref import WeakKeyDictionary

from lazyarr.ir import extents
from lazyarr.ir.extents import Length
from lazyarr.ir.graph import Check, Graph, depth_first, param
from lazyarr.ir.node import Node, Value, make
from lazyarr.ir.rewrite import all_nodes
from lazyarr.ir.types import ArrayType
from lazyarr.leaves import Leaf
from lazyarr.ops.create import CONST
from lazyarr.runtime import NotCaptured


class Region:
    """One region under construction.

    Parameters
    ----------
    placeholders : sequence of Value
        Leaves that stand for the first parameters.
    same : dict of Value to Value
        Leaves that turned out to stand for a value from outside.
    is_inside : callable
        Whether a node that depends on no parameter still belongs into the region.
    """

    def __init__(
        self, placeholders: Sequence[Value], same: dict[Value, Value], is_inside: Callable[[Node], bool] | None = None
    ):
        self._same = same
        self._is_inside = is_inside
        self._checked: set[Value] = set()
        self._inside: dict[Value, Value] = {}
        self._outside: dict[Value, Value] = {}
        #: What stands for values from outside: what depends on them alone is outside too.
        self._taken: dict[Value, Value] = {}
        self._operands: dict[Value, Value] = {}
        self._count = len(placeholders)
        self._params: list[Value] = list(placeholders)
        for index, value in enumerate(placeholders):
            # Lengths of parameters are operands of their own; their places are known only as they are met.
            self._params[index] = param(index, self._type(value.type))
            self._inside[value] = self._params[index]

    @property
    def operands(self) -> list[Value]:
        """What the region takes from outside after its first parameters."""
        return list(self._operands)

    def _operand(self, outer: Value) -> Value:
        """The parameter that stands for a value from outside."""
        found = self._operands.get(outer)
        if found is None:
            type = self._type(outer.type)
            found = self._operands[outer] = param(self._count + len(self._operands), type)
            self._params.append(found)
        return found

    def _type(self, type: ArrayType) -> ArrayType:
        if extents.is_static(type.shape):
            return type
        shape = []
        for extent in type.shape:
            if isinstance(extent, Length):
                scalar = self._same.get(extent.scalar, extent.scalar)
                inner = self._inside.get(scalar) or self._taken.get(scalar)
                if inner is None:
                    self.add([scalar])
                    inner = self.inner(scalar)
                extent = Length(inner, extent.bound)
            shape.append(extent)
        return type.with_shape(tuple(shape))

    def add(self, roots: Iterable[Value]) -> None:
        """Take over what `roots` need."""
        for node in depth_first(roots):
            if isinstance(node, Leaf):
                value = Value(node, 0)
                if value not in self._inside:
                    self._outside[value] = self._same.get(value, value)
                continue
            values = node.values
            if values[0] in self._inside or values[0] in self._outside:
                continue
            if self._stays(node):
                new = make(node.op, tuple([self.inner(v) for v in node.operands]), node.attrs)
                new.lines = new.lines | node.lines
                self._inside.update(zip(values, new.values, strict=True))
            else:
                new = make(node.op, tuple([self._outside[v] for v in node.operands]), node.attrs)
                new.lines = new.lines | node.lines
                self._outside.update(zip(values, new.values, strict=True))

    def _stays(self, node: Node) -> bool:
        """Whether a node belongs into the region."""
        if any(v in self._inside for v in node.operands):
            return True
        if self._is_inside is not None:
            return self._is_inside(node)
        # Without an iteration nothing is checked, and before the first one nothing is yet.
        return node.op.checked and any(v in self._checked and v.node.op is not CONST for v in node.operands)

    def outer(self, value: Value) -> Value | None:
        """What a value is outside; None if it is computed in the region."""
        self.add([value])
        return self._outside.get(value)

    def inner(self, value: Value) -> Value:
        """What stands for a value that was added."""
        found = self._inside.get(value) or self._taken.get(value)
        if found is not None:
            return found
        outer = self._outside[value]
        node = outer.node
        if node.op is CONST:
            return outer
        if node.op.memory == "free" and all(v.node.op is CONST for v in node.operands):
            # Made again in the region: keeping it would cost more.
            return outer
        found = self._taken[value] = self._operand(outer)
        return found

    def close(self, results: Sequence[Value], checks: Sequence[Check]) -> Graph:
        """The region that gives `results`."""
        self._checked = _numbers(c.ok for c in checks)
        self.add([*results, *(c.ok for c in checks)])
        inner = [self.inner(v) for v in results]
        conditions = [Check(self.inner(c.ok), c.exception, c.message) for c in checks]
        graph = Graph(self._params, inner, conditions)
        length = _written_out(graph)
        if length > _LONGEST and length > _AGAIN * sum(1 for _ in all_nodes(graph)):
            raise NotCaptured("branches within branches: written out, they are too long")
        return graph


#: Operations of the longest graph that repeats itself, each graph in it counted wherever it stands: native code has it
#: there. And how often it repeats itself at least.
_LONGEST, _AGAIN = 3_000, 4
_lengths: WeakKeyDictionary[Graph, int] = WeakKeyDictionary()


def _written_out(graph: Graph) -> int:
    """Operations of a graph and of the graphs in it, each as often as it stands there."""
    found = _lengths.get(graph)
    if found is None:
        found = len(graph.nodes) + sum(_written_out(region) for node in graph.nodes for region in node.regions)
        _lengths[graph] = found
    return found


def _numbers(conditions: Iterable[Value]) -> set[Value]:
    """The integers that conditions are about. (What a loop or branch before them was about it has tested itself.)"""
    found: set[Value] = set()
    todo = list(conditions)
    seen: set[Node] = set()
    while todo:
        value = todo.pop()
        if value.type.dtype.kind in "iu":
            found.add(value)
        if value.node not in seen and not any(True for _ in value.node.regions):
            seen.add(value.node)
            todo += value.node.operands
    return found


def close_together(
    outputs: Sequence[tuple[Sequence[Value], Sequence[Check], Callable[[Node], bool] | None]],
    placeholders: Sequence[Value], same: dict[Value, Value],
) -> tuple[list[Graph], list[Value]]:  # fmt: skip
    """Several regions that take the same operands (the branches of a condition, test and body of a loop).

    Returns
    -------
    list of Graph
    list of Value
        The operands after those that `placeholders` stand for.
    """
    operands: dict[Value, None] = {}
    for _ in range(3):
        # Each region is closed again with the operands of all: they have to agree on places.
        graphs, before = [], len(operands)
        for results, checks, is_inside in outputs:
            region = Region(placeholders, same, is_inside)
            for value in operands:
                region._operand(value)
            graphs.append(region.close(results, checks))
            operands.update(dict.fromkeys(region.operands))
        if len(operands) == before:
            return graphs, list(operands)
    raise NotCaptured("regions do not agree on their operands")
