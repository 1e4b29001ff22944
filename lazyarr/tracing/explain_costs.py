"""What a graph with loops costs, for the report: iterations are counted, run-time lengths taken at what they will be.

Integers that decide it (trip counts, lengths of slices) are followed through the graph. A loop whose trip count is
known counts that often; what depends on its index is taken at the first, the middle and the last one (Simpson's rule:
right for triangles and tetrahedra to lower order). A loop that data ends counts once, and the figures say so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lazyarr.ir import extents
from lazyarr.ir.graph import Graph
from lazyarr.ir.node import Node, Value
from lazyarr.ir.types import ArrayType

_Numbers = dict[Value, float | None]
_BINARY: dict[str, Callable[..., float | None]] = {
    "add": lambda a, b: a + b, "subtract": lambda a, b: a - b, "multiply": lambda a, b: a * b, "maximum": max,
    "minimum": min, "floor_divide": lambda a, b: a / b if b else None,
}  # fmt: skip
#: Loops in loops of which indices are sampled; deeper ones are taken at the middle.
_SAMPLED = 4
_WRITES = ("put_window", "update_slice", "scatter")


@dataclass(frozen=True)
class Figures:
    """What running a graph once costs.

    Attributes
    ----------
    flops : float
    written : float
        Bytes moved if every operation reads its operands from memory and writes its results there; windows are views,
        and are written in place.
    looped : float
        Bytes that loops move if what is element-wise within an iteration is fused.
    once : bool
        Whether loops of unknown length were counted as one iteration.
    """

    flops: float = 0.0
    written: float = 0.0
    looped: float = 0.0
    once: bool = False

    def plus(self, other: Figures, times: float = 1.0) -> Figures:
        """The sum, with `other` counted several times."""
        return Figures(self.flops + times * other.flops, self.written + times * other.written,
                       self.looped + times * other.looped, self.once or other.once)  # fmt: skip


def figures(graph: Graph, numbers: Mapping[Value, float | None] | None = None, depth: int = 0) -> Figures:
    """What a graph costs, given what is known of its integer parameters."""
    known: _Numbers = dict(numbers or {})
    total = Figures()
    for node in graph.nodes:
        _follow(node, known)
        total = total.plus(_node(node, known, depth))
    return total


def _follow(node: Node, known: _Numbers) -> None:
    """Note what the result of a scalar integer operation is."""
    if len(node.types) != 1 or node.types[0].shape or node.types[0].dtype.kind not in "iu":
        return
    found: float | None = None
    values = [known.get(v) for v in node.operands]
    if node.op.name == "const":
        found = float(node.kw["value"].value)
    elif node.op.name == "cast" and node.operands[0].type.dtype.kind in "iu":
        found = values[0]
    elif node.op.name == "negative" and values[0] is not None:
        found = -values[0]
    elif node.op.name in _BINARY and None not in values:
        found = _BINARY[node.op.name](*values)
    known[Value(node, 0)] = found


def _type(value: Value, known: Mapping[Value, float | None]) -> ArrayType:
    """A value's type with its run-time lengths at what they are expected to be."""
    type = value.type
    if extents.is_static(type.shape):
        return type
    return type.with_shape(tuple(_extent(n, known) for n in type.shape))


def _extent(n: Any, known: Mapping[Value, float | None]) -> Any:
    if not isinstance(n, extents.Length):
        return n
    found = known.get(n.scalar)
    return n.bound if found is None else max(0, min(round(found), n.bound))


def _bytes(value: Value, known: Mapping[Value, float | None]) -> float:
    return extents.number(_type(value, known).nbytes)


def _node(node: Node, known: _Numbers, depth: int) -> Figures:
    if node.op.name == "const":
        return Figures()
    if node.op.name == "loop":
        return _loop(node, known, depth)
    if node.op.name == "while":
        cond, body = node.kw["cond"], node.kw["body"]
        inner = _bound(body, node.operands, known)
        tested = figures(cond, _bound(cond, node.operands, known), depth + 1)
        found = tested.plus(figures(body, inner, depth + 1))
        return Figures(found.flops, found.written, found.looped + _traffic(body, inner), True)
    if node.op.name == "cond":
        ways = [figures(node.kw[name], _bound(node.kw[name], node.operands[1:], known), depth)
                for name in ("then", "orelse")]  # fmt: skip
        return Figures(*(max(getattr(way, name) for way in ways) for name in ("flops", "written", "looped", "once")))
    if node.op.name == "region":
        return figures(node.kw["body"], _bound(node.kw["body"], node.operands, known), depth)
    flops, moved = declared(node, known)
    if node.op.name == "put_window":
        moved = 2 * _bytes(node.operands[1], known)
    return Figures(flops, moved)


def declared(node: Node, known: Mapping[Value, float | None]) -> tuple[float, float]:
    """Flops and bytes by the operation's declaration."""
    if node.op.memory == "view":
        return 0.0, 0.0
    lengths = {n.scalar: n for v in node.operands for n in v.type.shape if isinstance(n, extents.Length)}
    # One length under two bounds is one number: that of the last.
    at = {scalar: _extent(n, known) for scalar, n in lengths.items()}
    types = [
        v.type if extents.is_static(v.type.shape)
        else v.type.with_shape(tuple([at[n.scalar] if isinstance(n, extents.Length) else n for n in v.type.shape]))
        for v in node.operands
    ]  # fmt: skip
    cost = node.op.cost(*types, **node.kw)
    return extents.number(cost.flops), extents.number(cost.bytes)


def _bound(graph: Graph, operands: Sequence[Value], known: _Numbers) -> _Numbers:
    """What is known of a region's parameters."""
    return {p: known.get(v) for p, v in zip(graph.params, operands, strict=True) if not p.type.shape}


def _loop(node: Node, known: _Numbers, depth: int) -> Figures:
    body: Graph = node.kw["body"]
    start, stop, step = (known.get(v) for v in node.operands[:3])
    inner = _bound(body, node.operands[2:], known)
    for p in body.params[1 : 1 + node.kw["carried"]]:
        inner[p] = None
    trips = None
    if start is not None and stop is not None and step:
        trips = max(0.0, (stop - start) / step)
        # (A loop by blocks, of which the last one is shorter, runs at least once where there is anything.)
        trips = 1.0 if 0 < trips < 1 and abs(step) > 1 else trips
        trips = math.ceil(trips) if float(start).is_integer() and float(stop).is_integer() else trips
    once = trips is None or node.kw["until"] >= 0
    found = Figures()
    if trips is None or start is None or step is None:
        samples: list[tuple[float | None, float]] = [(None, 1.0)]
    elif depth < _SAMPLED and trips > 2:
        last = trips - 1
        samples = [(start + step * at * last, weight * trips) for at, weight in ((0, 1 / 6), (0.5, 4 / 6), (1, 1 / 6))]
    else:
        samples = [(start + step * (trips - 1) / 2, trips)]
    for index, weight in samples:
        inner[body.params[0]] = index
        found = found.plus(figures(body, inner, depth + 1), weight)
        found = found.plus(Figures(looped=_traffic(body, inner)), weight)
    return Figures(found.flops, found.written, found.looped, found.once or once)


def _traffic(body: Graph, numbers: Mapping[Value, float | None]) -> float:
    """Bytes that one iteration moves, loops in it not counted: of arrays is read what is taken of them."""
    read: dict[Value, float] = {}
    written = 0.0
    for _, base, moved in moves(body, numbers):
        if base is None:
            written += moved
        else:
            read[base] = read.get(base, 0.0) + moved
    return sum(min(moved, max(_bytes(base, numbers), 0.0)) for base, moved in read.items()) + written


def moves(body: Graph, numbers: Mapping[Value, float | None]) -> Iterator[tuple[Node, Value | None, float]]:
    """What the nodes of a graph read from memory and write to it, if what is element-wise is fused; loops left out.

    Yields
    ------
    node : Node
    base : Value or None
        What is read, or a part of; None for a write. No value is read more than once from memory as a whole.
    moved : float
        Bytes.
    """
    known: _Numbers = dict(numbers)
    #: What lies in memory, or is a view of what does.
    stored = {p: p for p in body.params if p.type.shape}
    for node in body.nodes:
        _follow(node, known)
        name = node.op.name
        for at, value in enumerate(node.operands):
            base = stored.get(value)
            if base is None or (at == 0 and name in _WRITES) or any(True for _ in node.regions):
                continue
            if node.op.memory == "view":
                if name in ("window", "slice", "dynamic_slice"):
                    yield node, base, _bytes(Value(node, 0), known)
                else:
                    stored[Value(node, 0)] = base
                continue
            part = Value(node, 0) if name == "gather" and at == 0 else value
            yield node, base, _bytes(part, known)
        if name in _WRITES:
            yield node, None, _bytes(node.operands[1], known)
            stored[Value(node, 0)] = Value(node, 0)
        elif any(True for _ in node.regions):
            stored.update({v: v for v in node.values if v.type.shape})
        elif not node.op.pointwise and node.op.memory == "fresh" and node.types[0].shape:
            yield node, None, _bytes(Value(node, 0), known)
            stored[Value(node, 0)] = Value(node, 0)
    for value in body.results:
        if value.type.shape and value not in stored:
            yield value.node, None, _bytes(value, known)
