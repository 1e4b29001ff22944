"""Numbers and places that a loop in Python has others of in each iteration: inputs of a program, not constants of many.

``np.sin(k * x) / k`` is another graph for each `k`, as recorded (Python's floats are operands from the beginning), and
``h[t + 1] = f(h[t], x[t])`` one for each `t`. Where graphs come that differ in numbers alone, or in where slices begin,
what differs becomes parameters, so that the next ones are one graph, which is compiled, and split over ranks, once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lazyarr import forks, world
from lazyarr.ir.extents import is_static
from lazyarr.ir.graph import Check, Graph, Program, param, users
from lazyarr.ir.node import Node, Value, apply, make
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.leaves import Leaf
from lazyarr.ops.create import CONST, const
from lazyarr.ops.elementwise import ELEMENTWISE
from lazyarr.ops.index import UPDATE_SLICE
from lazyarr.ops.shape import SLICE
from lazyarr.ops.window import PUT_WINDOW, WINDOW

#: Graphs that are remembered without their numbers.
_LIMIT = 512
#: What has come so often as it is is not looked at any more.
_OFTEN = 3
#: Different places in which slices have to have come for these to be inputs: programs of two kinds, or two arrays that
#: change places, are better known as they are.
_PLACES = 3
#: Of graphs with so many slices two places are enough: to compile a long one again takes longer than any of that.
_MANY = 40
#: What is another operation for each number: squares are products.
_POWERS = frozenset(ELEMENTWISE[name] for name in ("power", "float_power") if name in ELEMENTWISE)
_I64 = ArrayType(DTYPES["i64"])
#: The axis of a `Spot` that is a number.
_NUMBER = -1

#: What may vary in a graph: a constant (and `_NUMBER`), or where a slice begins along an axis.
Spot = tuple[Node, int]


@dataclass
class _Kind:
    """Graphs that are alike but for numbers and places.

    Attributes
    ----------
    last : tuple
        The numbers and places of the last one, one a spot.
    varies : tuple of bool
        Which have not always been these.
    groups : tuple of int
        Spots in one group are places that have always moved alike.
    places : set of tuple
        Different ones that have come, a few.
    split : tuple of tuple of bool
        For each spot that is a place, which axes of its array are split over ranks.
    made : tuple
        The last program that was made, and of what.
    """

    last: tuple[Any, ...]
    varies: tuple[bool, ...]
    groups: tuple[int, ...]
    places: set[tuple[Any, ...]]
    split: tuple[tuple[bool, ...], ...]
    made: tuple[Any, Program | None] = ((), None)

    def see(self, spots: Sequence[Spot], now: tuple[Any, ...]) -> None:
        """Note the numbers and places of another graph of the kind."""
        moved = [0 if axis == _NUMBER else a - b for (_, axis), a, b in zip(spots, now, self.last, strict=True)]
        known: dict[tuple[int, int], int] = {}
        self.groups = tuple([known.setdefault(key, len(known)) for key in zip(self.groups, moved, strict=True)])
        # (Nodes are interned.)
        self.varies = tuple([v or a != b for v, a, b in zip(self.varies, now, self.last, strict=True)])
        self.last = now
        if len(self.places) < _PLACES:
            self.places.add(_places(spots, now))

    def inputs(self, spots: Sequence[Spot]) -> list[int]:
        """Which spots become inputs, by their number."""
        moves = len(self.places) >= (_PLACES if len(spots) < _MANY else 2)
        return [
            k for k, (_, axis) in enumerate(spots)
            if self.varies[k] and (axis == _NUMBER or (moves and not self.split[k][axis]))
        ]  # fmt: skip


class Numbers:
    """Which numbers and places of graphs vary; safe from many threads."""

    def __init__(self) -> None:
        #: Graphs with a parameter for each number and place, how many these are (``x * 2.5 + 3`` has an input
        #: where ``x * 2 + 3`` has a number), and how the arrays that exist are split.
        self._known: OrderedDict[tuple[Graph, int, Any], _Kind] = OrderedDict()
        #: How often graphs came of which nothing has varied.
        self._same: OrderedDict[Graph, int] = OrderedDict()
        self._lock = forks.lock()

    def are_settled(self, graph: Graph) -> bool:
        """Whether `lifted` gives programs of this graph as they are, from now on."""
        with self._lock:
            return self._same.get(graph, 0) >= _OFTEN or not _spots(graph)

    def lifted(self, program: Program, leaves: list[Leaf]) -> tuple[Program, list[Leaf]]:
        """A program with parameters for the numbers and places that have varied, and the leaf behind each parameter."""
        graph = program.graph
        with self._lock:
            if self._same.get(graph, 0) >= _OFTEN:
                self._same.move_to_end(graph)
                return program, leaves
        spots = _spots(graph)
        if not spots:
            return program, leaves
        now = tuple([node if axis == _NUMBER else node.kw["start"][axis] for node, axis in spots])
        key = _with_parameters(graph, _Inputs(spots), {}), len(spots), _layouts(leaves)
        with self._lock:
            kind = self._known.get(key)
        if kind is None:
            fresh = (False,) * len(spots)
            kind = _Kind(now, fresh, (0,) * len(spots), {_places(spots, now)}, _split(graph, spots, leaves))
        with self._lock:
            kind = self._known.pop(key, kind)
            self._known[key] = kind
            kind.see(spots, now)
            chosen, groups, split = kind.inputs(spots), kind.groups, kind.split
            if not any(kind.varies):
                self._same[graph] = self._same.pop(graph, 0) + 1
            for known in (self._known, self._same):
                if len(known) > _LIMIT:
                    known.popitem(last=False)
        if not chosen:
            return program, leaves
        inputs = _Inputs([spots[k] for k in chosen], [groups[k] for k in chosen], [split[k] for k in chosen])
        others = set(range(len(spots))) - set(chosen)
        form = chosen, [inputs.of[spots[k]] for k in chosen], [now[k] for k in sorted(others)]
        before, found = kind.made
        if found is None or before != form:
            new: dict[Node, Node] = {}
            general = _with_parameters(graph, inputs, new)
            origins = {new[node]: lines for node, lines in program.origins.items() if (node, _NUMBER) not in inputs.of}
            found = Program(general, origins)
            kind.made = form, found
        return found, [*leaves, *inputs.leaves()]

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._known.clear()
            self._same.clear()


def _places(spots: Sequence[Spot], now: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple([at for (_, axis), at in zip(spots, now, strict=True) if axis != _NUMBER])


def _spots(graph: Graph) -> list[Spot]:
    """What may vary in a graph, in its order: constants that only element-wise operations take, and slices' places."""
    constants, places = [], []
    for node in graph.nodes:
        if node.op is CONST:
            if node.types[0].dtype.kind in "iufc":
                constants.append(node)
        elif node.op is SLICE or node.op is UPDATE_SLICE:
            places += [(node, axis) for axis in _movable(node)]
    if not constants:
        return places
    read, roots = users(graph), {value.node for value in graph.roots}
    found = [
        (node, _NUMBER) for node in constants
        if node not in roots and all(user.op.pointwise and user.op not in _POWERS for user in read[node])
    ]  # fmt: skip
    return found + places


def _part(node: Node) -> tuple[Any, ...]:
    """The shape of what a slice, or a write to one, takes of its array."""
    return (node if node.op is SLICE else node.operands[1].node).types[0].shape


def _movable(node: Node) -> list[int]:
    """The axes along which a slice of the same length could be elsewhere."""
    whole, part = node.operands[0].type.shape, (node.values[0] if node.op is SLICE else node.operands[1]).type.shape
    if not (is_static(whole) and is_static(part)):
        return []
    return [axis for axis, (n, m) in enumerate(zip(whole, part, strict=True)) if 0 < m < n]


def _layouts(leaves: Sequence[Leaf]) -> Any:
    """How the arrays that exist are split over ranks."""
    together = world.current()
    if together is None:
        return None
    return together.grid, tuple([x.data.layout if isinstance(x.data, world.Part) else None for x in leaves])


def _split(graph: Graph, spots: Sequence[Spot], leaves: Sequence[Leaf]) -> tuple[tuple[bool, ...], ...]:
    """For each spot, which axes of the array are split: a box at a place that data says takes all of such an axis."""
    together = world.current()
    if together is None:
        return tuple((False,) * (0 if axis == _NUMBER else len(node.kw["start"])) for node, axis in spots)
    from lazyarr import settings
    from lazyarr.passes.choose_layout import choose_layout

    given = {p: x.data.layout for p, x in zip(graph.params, leaves, strict=True) if isinstance(x.data, world.Part)}
    of = choose_layout(graph, together.grid, settings.current.split_above, given, model=together.model).of
    return tuple(() if axis == _NUMBER else tuple(s is not None for s in of[node.operands[0]]) for node, axis in spots)


class _Inputs:
    """What becomes parameters.

    Parameters
    ----------
    spots : sequence of Spot
    groups : sequence of int, optional
        Places in one group are a number and known distances from it; without it each is a parameter of its own.
    split : sequence of tuple of bool, optional
        Which axes of their arrays are split over ranks.
    """

    def __init__(self, spots: Sequence[Spot], groups: Sequence[int] | None = None,
                 split: Sequence[tuple[bool, ...]] | None = None):  # fmt: skip
        #: By spot, the number of its parameter and how far from it a place is.
        self.of: dict[Spot, tuple[int, int]] = {}
        self.split: dict[Node, tuple[bool, ...]] = {}
        self.first: list[Spot] = []
        known: dict[int, int] = {}
        for k, spot in enumerate(spots):
            node, axis = spot
            group = -1 - k if axis == _NUMBER or groups is None else groups[k]
            number = known.setdefault(group, len(self.first))
            if number == len(self.first):
                self.first.append(spot)
            self.of[spot] = number, 0 if axis == _NUMBER else _at(spot) - _at(self.first[number])
            if split is not None and axis != _NUMBER:
                self.split[node] = split[k]

    def types(self) -> list[ArrayType]:
        """Of the parameters."""
        return [node.types[0] if axis == _NUMBER else _I64 for node, axis in self.first]

    def leaves(self) -> list[Leaf]:
        """What they are now."""
        return [
            Leaf(np.asarray(node.kw["value"].value if axis == _NUMBER else node.kw["start"][axis]), type)
            for (node, axis), type in zip(self.first, self.types(), strict=True)
        ]


def _at(spot: Spot) -> int:
    node, axis = spot
    found: int = node.kw["start"][axis]
    return found


def _with_parameters(graph: Graph, inputs: _Inputs, made: dict[Node, Node]) -> Graph:
    """A graph with more parameters, in the place of constants; `made` gets what stands for each of its nodes."""
    params = list(graph.params)
    for value in graph.params:
        made[value.node] = value.node
    given = [param(len(params) + k, type) for k, type in enumerate(inputs.types())]
    starts: dict[Node, dict[int, Value]] = {}
    for (node, axis), (number, distance) in inputs.of.items():
        if axis == _NUMBER:
            made[node] = given[number].node
        else:
            at = given[number]
            starts.setdefault(node, {})[axis] = at if not distance else apply(_ADD, at, const(distance, _I64.dtype))
    for node in graph.nodes:
        if node not in made:
            operands = tuple([Value(made[v.node], v.index) for v in node.operands])
            at_data = starts.get(node)
            made[node] = (
                make(node.op, operands, node.attrs) if at_data is None
                else _boxed(node, operands, at_data, inputs.split.get(node)).node
            )  # fmt: skip
    checks = [Check(Value(made[c.ok.node], c.ok.index), c.exception, c.message) for c in graph.checks]
    return Graph([*params, *given], [Value(made[v.node], v.index) for v in graph.results], checks)


def _boxed(node: Node, operands: Sequence[Value], starts: dict[int, Value], split: tuple[bool, ...] | None) -> Value:
    """A slice, or a write to one, that begins where data says along some axes."""
    array, part = operands[0], _part(node)
    whole = array.type.shape
    cut = {name: list(node.kw[name]) for name in ("start", "stop", "step")}
    for axis in starts:
        cut["start"][axis], cut["stop"][axis], cut["step"][axis] = 0, part[axis], 1
    left = [axis for axis, n in enumerate(whole)
            if axis not in starts and (cut["start"][axis], part[axis], cut["step"][axis]) != (0, n, 1)]  # fmt: skip
    beside = {name: tuple(numbers) for name, numbers in cut.items()}
    dims = tuple([("block", part[axis], node.kw["step"][axis]) if axis in starts else ("all",)
                  for axis in range(len(whole))])  # fmt: skip
    scalars = [starts[axis] for axis in sorted(starts)]
    if node.op is SLICE:
        box = apply(WINDOW, array, *scalars, dims=dims)
        return apply(SLICE, box, **beside) if left else box
    value = operands[1]
    if left and split is not None and any(split[axis] for axis in left):
        # (Which rank writes what is known of a slice, and not of a box.)
        value = apply(UPDATE_SLICE, apply(WINDOW, array, *scalars, dims=dims), value, **beside)
    elif left:
        known = {axis: const(node.kw["start"][axis], _I64.dtype) for axis in left}
        scalars = [{**known, **starts}[axis] for axis in sorted((*starts, *left))]
        dims = tuple([("block", part[axis], node.kw["step"][axis]) if axis in left else dim
                      for axis, dim in enumerate(dims)])  # fmt: skip
    return apply(PUT_WINDOW, array, value, *scalars, dims=dims)


_ADD = ELEMENTWISE["add"]
numbers = Numbers()
