"""mask: what is computed for the True elements of a mask alone is computed for all, where that is cheaper.

``x[m] = f(x[m], y[m])`` finds the positions of the True elements, reads there, computes, and writes there: several
walks over memory, none of which can be done by vectors. ``where(m, f(x, y), x)`` is one. Elements that are masked off
are chosen against, never multiplied by zero, so that no NaN of theirs gets anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Any, ClassVar

import numpy as np

from lazyarr.ir.extents import Length, Shape, is_static
from lazyarr.ir.graph import Check, Graph, Line, Program, depth_first, users
from lazyarr.ir.node import Attrs, Node, Value, apply, make
from lazyarr.ir.op import lookup
from lazyarr.ir.rewrite import live_origins, remaining_checks
from lazyarr.ops.create import const
from lazyarr.passes.base import Pass
from lazyarr.passes.build import broadcast_to, constant, moves_freely, reshape


@dataclass(frozen=True)
class Mask(Pass):
    """Values compressed by a mask become values of full shape.

    ``scatter(x, exp(gather(y, p)), p) {kind="set"} -> select(m, exp(y), x)`` and
    ``reduce(gather(x, p)) {kind="maximum"} -> reduce(select(m, x, -inf)) {kind="maximum"}``, p the positions of the
    True elements of m. All that is computed from a mask's positions changes, or nothing.

    Where it does not pay, an array of several axes is read by flat positions at least:
    ``gather(x, p // 8, p % 8) {axes=(0, 1)} -> gather(reshape(x), p) {axes=(0,)}``.

    Attributes
    ----------
    share : int
        The percentage of True elements that a comparison is taken to have; of two that must both hold, a part of that.
    always : int
        Masks of so many elements or more are taken so whatever it costs; 0: none.
    """

    name: ClassVar[str] = "mask"
    share: int = 50
    always: int = 0

    def run(self, program: Program) -> Program:
        if not any(True for _ in _masks(program.graph)):
            return program
        pending = _Unmask(self, program)
        graph = pending.graph(program.graph)
        return program if graph is program.graph else Program(graph, live_origins(graph, pending.origins))


def _masks(graph: Graph) -> Iterator[Node]:
    """The nodes of a graph and its regions that find the positions of a mask's True elements."""
    pending, seen = [graph], {graph}
    while pending:
        for node in pending.pop().nodes:
            if node.op.name == "flatnonzero":
                yield node
            for region in node.regions:
                if region not in seen:
                    seen.add(region)
                    pending.append(region)


# ------------------------------------------------------------------------------------- neutral elements


def _lowest(dtype: np.dtype[Any]) -> Any:
    return False if dtype.kind == "b" else -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def _highest(dtype: np.dtype[Any]) -> Any:
    return True if dtype.kind == "b" else np.inf if dtype.kind == "f" else np.iinfo(dtype).max


def _ones(dtype: np.dtype[Any]) -> Any:
    return True if dtype.kind == "b" else np.invert(dtype.type(0))


#: For each reduction the kinds of dtype, and the element that changes nothing, the sign of a zero included.
_NEUTRAL: dict[str, tuple[str, Callable[[np.dtype[Any]], Any]]] = {
    "add": ("biufc", lambda d: -0.0 if d.kind == "f" else complex(-0.0, -0.0) if d.kind == "c" else 0),
    "multiply": ("biuf", lambda d: 1),
    "maximum": ("biuf", _lowest),
    "minimum": ("biuf", _highest),
    "fmax": ("f", lambda d: np.nan),
    "fmin": ("f", lambda d: np.nan),
    "logical_and": ("b", lambda d: True),
    "logical_or": ("b", lambda d: False),
    "logical_xor": ("b", lambda d: False),
    "bitwise_and": ("biu", _ones),
    "bitwise_or": ("biu", lambda d: 0),
    "bitwise_xor": ("biu", lambda d: 0),
}


# --------------------------------------------------------------------------------------------- analysis


@dataclass
class _Compressed:
    """What is computed from the positions of one mask's True elements.

    Attributes
    ----------
    positions : Node
        The `flatnonzero`.
    values : dict
        Values of the mask's length, in order; their keys are all that can be computed in full.
    ends : list of Node
        Those that make something of another shape of them: reductions and writes.
    blocks : set
        Shapes that the positions are taken apart to index: ``(rows, columns)`` for ``p // columns, p % columns``.
    """

    positions: Node
    values: dict[Value, None] = field(default_factory=dict)
    ends: list[Node] = field(default_factory=list)
    blocks: set[Shape] = field(default_factory=set)

    @property
    def total(self) -> Value:
        return self.positions.operands[1]

    @property
    def size(self) -> int:
        """Number of elements of the mask."""
        size = self.positions.operands[0].type.shape[0]
        assert isinstance(size, int)
        return size

    @property
    def block(self) -> Shape:
        """The shape in which the mask's elements are computed."""
        return next(iter(self.blocks)) if len(self.blocks) == 1 else (self.size,)

    def has_length(self, value: Value) -> bool:
        """Whether some extent of `value` is the number of True elements."""
        return any(isinstance(n, Length) and n.scalar == self.total for n in value.type.shape)

    def leads(self, value: Value) -> bool:
        """Whether the first extent, and no other one, is the number of True elements."""
        first, *rest = value.type.shape or (0,)
        return isinstance(first, Length) and first.scalar == self.total and is_static(rest)


def _analyse(graph: Graph, positions: Node, readers: dict[Node, list[Node]]) -> _Compressed | None:
    """What is computed from a mask's positions, if all of it can be computed in full."""
    found = _Compressed(positions)
    if not is_static(positions.operands[0].type.shape):
        return None
    found.values[positions.values[0]] = None
    roots = set(graph.roots)
    if positions.values[0] in roots:
        return None
    order = {node: k for k, node in enumerate(graph.nodes)}
    todo = [order[node] for node in {*readers[positions], *readers[found.total.node]}]
    heapify(todo)
    seen = set(todo)
    while todo:
        node = graph.nodes[heappop(todo)]
        if node is positions:
            continue
        if not any(map(found.has_length, (*node.operands, *node.values))):
            continue  # The number of True elements as a number.
        if node.op.name in ("scatter", "reduce") and _is_end(node, found):
            found.ends.append(node)
        elif _is_full(node, found):
            if any(v in roots for v in node.values):
                return None
            found.values.update(dict.fromkeys(node.values))
            for reader in readers[node]:
                if order[reader] not in seen:
                    seen.add(order[reader])
                    heappush(todo, order[reader])
        else:
            return None
    return found if found.ends else None


def _block(found: _Compressed, x: Value, node: Node, indices: tuple[Value, ...]) -> Shape | None:
    """The leading axes' extents of `x` that index arrays address by the mask's positions, one after the other."""
    axes = node.kw["axes"]
    block = x.type.shape[: len(axes)]
    if axes != tuple(range(len(axes))) or not is_static(x.type.shape) or math.prod(block) != found.size:
        return None
    for axis, index in enumerate(indices):
        inner = math.prod(block[axis + 1 :])
        if axis and index.node.op.name == "remainder":
            if constant(index.node.operands[1]) != block[axis]:
                return None
            index = index.node.operands[0]
        elif axis:
            return None
        if inner != 1:
            if index.node.op.name != "floor_divide" or constant(index.node.operands[1]) != inner:
                return None
            index = index.node.operands[0]
        if index != found.positions.values[0]:
            return None
    return block


def _is_end(node: Node, found: _Compressed) -> bool:
    """Whether `node` is a reduction or a write that can be done in full."""
    if node.op.name == "reduce":
        x, kind = node.operands[0], node.kw["kind"]
        kinds, _ = _NEUTRAL.get(kind, ("", None))
        return x in found.values and 0 in node.kw["axes"] and x.type.dtype.kind in kinds
    base, value, *indices = node.operands
    if node.kw["kind"] != "set" or value not in found.values or found.has_length(base):
        return False
    block = _block(found, base, node, tuple(indices))
    if block is None:
        return False
    found.blocks.add(block)
    return True


def _is_full(node: Node, found: _Compressed) -> bool:
    """Whether the results of `node` can be computed for all elements of the mask."""
    if not all(found.leads(v) for v in node.values):
        return False
    ours = [v in found.values for v in node.operands]
    if node.op.name == "gather":
        x, *indices = node.operands
        block = None if found.has_length(x) else _block(found, x, node, tuple(indices))
        if block is None:
            return False
        found.blocks.add(block)
        return True
    if node.op.name == "spread":
        return ours[0] or is_static(node.operands[0].type.shape)
    if node.op.name == "reduce":
        return ours[0]
    if node.op.name == "expand":
        return ours[0] and 0 not in node.kw["axes"]
    return moves_freely(node) and all(
        mine or is_static(v.type.shape) for mine, v in zip(ours, node.operands, strict=True)
    )


#: Nanoseconds an element, measured on x86-64 with vectors of 256 bits: one walk over an array; an addition; a sum; a
#: maximum, whose choice is a branch; reading an element by its position, or writing it.
_WALK, _FLOP, _SUM, _EXTREMUM, _BY_POSITION = 0.1, 0.12, 0.2, 1.5, 1.0


def _pays(found: _Compressed, share: float) -> bool:
    """Whether the work for all elements costs less than finding some, reading, computing and writing there.

    Only what ends in a result counts: positions are not taken apart any more.
    """
    chosen = _share(found.positions.operands[0], share)
    full, compressed = _WALK, 2 * _WALK
    for end in found.ends:
        value = end.operands[1 if end.op.name == "scatter" else 0]
        row = _row(value)
        if end.op.name == "scatter":
            full += _WALK * row
            compressed += chosen * (_BY_POSITION + _WALK * row)
        else:
            full += row * (_EXTREMUM if end.kw["kind"] in ("maximum", "minimum", "fmax", "fmin") else _SUM)
            compressed += chosen * row * _SUM
    needed = [end.operands[1 if end.op.name == "scatter" else 0].node for end in found.ends]
    seen: set[Node] = set()
    while needed:
        node = needed.pop()
        if node in seen or node.values[0] not in found.values:
            continue
        seen.add(node)
        if node.op.name == "gather":
            full += _WALK * _row(node.values[0])
            compressed += chosen * (_BY_POSITION + _WALK * _row(node.values[0]))
            continue
        if node.op.pointwise:
            work = _FLOP * float(node.cost.flops) / max(1, found.size)
            full, compressed = full + work, compressed + chosen * work
        needed += [v.node for v in node.operands]
    # What is a little cheaper is not worth the risk that few elements are chosen.
    return full < 0.75 * compressed


def _row(value: Value) -> int:
    """Number of elements that a value has for each of the mask's."""
    return math.prod(value.type.shape[1:])


def _share(mask: Value, share: float) -> float:
    """The estimated part of True elements: of conjunctions the product, of disjunctions the sum, as databases do."""
    node = mask.node
    match node.op.name:
        case "bitwise_and" | "logical_and":
            return math.prod(_share(v, share) for v in node.operands)
        case "bitwise_or" | "logical_or":
            return min(1.0, sum(_share(v, share) for v in node.operands))
        case "invert" | "logical_not":
            return 1.0 - _share(node.operands[0], share)
        case "reshape" | "broadcast" | "full":
            return _share(node.operands[0], share)
        case "equal":
            return share / 5
    return share


# -------------------------------------------------------------------------------------------- rewriting


class _Unmask:
    """Graphs without the masks' positions, as far as they go; carries the table of origins along."""

    def __init__(self, options: Mask, program: Program):
        self.options = options
        self.origins: dict[Node, frozenset[Line]] = dict(program.origins)
        self._done: dict[Graph, Graph] = {}

    def graph(self, graph: Graph) -> Graph:
        found = self._done.get(graph)
        if found is None:
            found = self._done[graph] = self._rewritten(graph)
        return found

    def _rewritten(self, graph: Graph) -> Graph:
        plans: dict[Node, _Compressed] = {}
        if any(node.op.name == "flatnonzero" for node in graph.nodes):
            readers = users(graph)
            for node in graph.nodes:
                if node.op.name == "flatnonzero":
                    plan = _analyse(graph, node, readers)
                    if plan is not None and (self._always(plan) or _pays(plan, self.options.share / 100)):
                        plans.update(dict.fromkeys((v.node for v in plan.values), plan))
                        plans.update(dict.fromkeys(plan.ends, plan))
        new: dict[Value, Value] = {p: p for p in graph.params}
        for node in graph.nodes:
            plan = plans.get(node)
            if plan is None:
                made = _flat(node, new) or self._again(node, new)
            elif node in plan.ends:
                made = (_ended(node, plan, new),)
            else:
                made = _in_full(node, plan, new)
            for value in made:
                if value.node is not node:
                    self.origins[value.node] = self.origins.get(value.node, frozenset()) | self.origins.get(
                        node, frozenset())  # fmt: skip
            new.update(zip(node.values, made, strict=True))
        results = [new[v] for v in graph.results]
        checks = remaining_checks(Check(new[c.ok], c.exception, c.message) for c in graph.checks)
        if not plans and all(new[v] == v for node in graph.nodes for v in node.values):
            return graph
        return Graph(graph.params, results, checks, _scheduled(graph, new, [*results, *(c.ok for c in checks)]))

    def _always(self, plan: _Compressed) -> bool:
        return 0 < self.options.always <= plan.size

    def _again(self, node: Node, new: dict[Value, Value]) -> tuple[Value, ...]:
        operands = tuple([new[v] for v in node.operands])
        attrs: Attrs = node.attrs
        if any(True for _ in node.regions):
            attrs = tuple((k, self.graph(v) if isinstance(v, Graph) else v) for k, v in attrs)
        return node.values if operands == node.operands and attrs == node.attrs else make(
            node.op, operands, attrs).values  # fmt: skip


def _scheduled(graph: Graph, new: dict[Value, Value], roots: list[Value]) -> list[Node]:
    """The nodes that `roots` need, in the order of what they stand for."""
    live = set(depth_first(roots))
    emitted: set[Node] = {p.node for p in graph.params}
    order: list[Node] = []
    for node in graph.nodes:
        made = [new[v] for v in node.values if new[v].node in live]
        order += depth_first(made, emitted)
    return order


def _flat(node: Node, new: dict[Value, Value]) -> tuple[Value, ...] | None:
    """``gather(x, p // 8, p % 8) {axes=(0, 1)} -> gather(reshape(x), p) {axes=(0,)}``, p the positions of a mask."""
    if node.op.name != "gather" or len(node.operands) < 3:
        return None
    x, *indices = node.operands
    last = indices[-1].node
    positions = last.operands[0].node if last.op.name == "remainder" else last
    if positions.op.name != "flatnonzero" or not is_static(positions.operands[0].type.shape):
        return None
    block = _block(_Compressed(positions), x, node, tuple(indices))
    if block is None:
        return None
    flat = reshape(new[x], (math.prod(block), *x.type.shape[len(block) :]))
    return (apply(node.op, flat, new[positions.values[0]], axes=(0,)),)


def _in_full(node: Node, plan: _Compressed, new: dict[Value, Value]) -> tuple[Value, ...]:
    """``exp(gather(x, p)) -> exp(x)``: the values of `node` for every element of the mask."""
    block = plan.block
    extra = len(block) - 1
    if node is plan.positions:
        counted = apply(lookup("iota"), length=plan.size, dtype=np.dtype(np.int64))
        return (reshape(counted, block),)
    rest = node.types[0].shape[1:]
    x = new[node.operands[0]]
    match node.op.name:
        case "gather":
            return (reshape(x, (*block, *rest)),)
        case "spread":
            return (broadcast_to(_trailing(node.operands[0], node, plan, new), (*block, *rest)),)
        case "reduce":
            return (apply(node.op, x, kind=node.kw["kind"], axes=tuple(a + extra for a in node.kw["axes"])),)
        case "expand":
            return (reshape(x, (*block, *rest)),)
    operands = tuple(_trailing(v, node, plan, new) for v in node.operands)
    values = make(node.op, operands, node.attrs).values
    return tuple(broadcast_to(v, (*block, *rest)) for v in values)


def _trailing(operand: Value, node: Node, plan: _Compressed, new: dict[Value, Value]) -> Value:
    """An operand as it broadcasts to the full shape: one of no mask loses the axis of 1 where positions stand."""
    value = new[operand]
    if operand in plan.values:
        missing = node.types[0].ndim - operand.type.ndim
        assert missing == 0, "the positions' axis is the first of every value"
        return value
    return reshape(value, value.type.shape[1:]) if value.type.ndim == node.types[0].ndim else value


def _ended(node: Node, plan: _Compressed, new: dict[Value, Value]) -> Value:
    """``reduce(gather(x, p)) -> reduce(select(m, x, neutral))``; ``scatter(x, v, p) -> select(m, v, x)``."""
    block = plan.block
    source = node.operands[0] if node.op.name == "reduce" else node.operands[1]
    value = new[source]
    rest = source.type.shape[1:]
    mask = reshape(new[plan.positions.operands[0]], (*block, *(1,) * len(rest)))
    if node.op.name == "scatter":
        base = reshape(new[node.operands[0]], (*block, *rest))
        return reshape(apply(lookup("select"), mask, value, base), node.types[0].shape)
    kind, dtype = node.kw["kind"], source.type.dtype
    with np.errstate(all="ignore"):
        neutral = const(_NEUTRAL[kind][1](dtype), dtype)
    chosen = apply(lookup("select"), mask, value, neutral)
    axes = (*range(len(block)), *(a + len(block) - 1 for a in node.kw["axes"] if a))
    found = apply(node.op, chosen, kind=kind, axes=axes)
    if kind != "add" or dtype.kind not in "fc":
        return found
    # The sum of nothing is 0.0, not -0.0.
    nothing = apply(lookup("equal"), new[plan.total], const(0, np.dtype(np.int64)))
    return apply(lookup("select"), nothing, const(0, dtype), found)
