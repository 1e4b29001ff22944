"""What a graph costs in native code: whether its work is worth several threads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lazyarr.backends import native_nests as nests
from lazyarr.backends.native_emit import Index
from lazyarr.ir import extents
from lazyarr.ir.graph import Graph
from lazyarr.ir.node import Node

#: Nanoseconds of a number's operation, of one on an array's element, and of moving eight bytes.
_NUMBER, _FLOP, _WORD = 0.4, 0.06, 0.1
#: Iterations that a loop of unknown length is taken to have.
_TRIPS = 100
#: The same of one that goes over arrays by points or blocks.
_SWEEPS = 50


def static_trips(bounds: tuple[Index, Index, int]) -> int | None:
    """How often a loop over ``range(*bounds)`` runs, where that is known."""
    start, stop, step = bounds
    return len(range(start, stop, step)) if isinstance(start, int) and isinstance(stop, int) else None


def expected_trips(bounds: tuple[Index, Index, int]) -> int:
    """How often such a loop is taken to run."""
    known = static_trips(bounds)
    return _SWEEPS if known is None else known


@dataclass(frozen=True)
class Work:
    """An estimate.

    Attributes
    ----------
    nanoseconds : float
        At most, where run-time lengths are as large as they may be.
    certain : bool
        Whether it is about what a run takes.
    shares : bool
        Whether a statement in it is large enough to be shared among threads itself.
    """

    nanoseconds: float
    certain: bool = True
    shares: bool = False


def work(graph: Graph) -> Work:
    """What running a graph once costs."""
    parts = [_node(node) for node in graph.nodes]
    total = sum(part.nanoseconds for part in parts)
    return Work(max(total, _NUMBER), all(p.certain for p in parts), any(p.shares for p in parts))


def _node(node: Node) -> Work:
    name = node.op.name
    if name == "loop":
        body = work(node.kw["body"])
        start, stop, step = (v.node.kw["value"].value if v.node.op.name == "const" else None for v in node.operands[:3])
        if start is None or stop is None or not step or node.kw["until"] >= 0:
            return Work(_TRIPS * body.nanoseconds, False, body.shares)
        trips = len(range(int(start), int(stop), int(step)))
        return Work(trips * body.nanoseconds, body.certain, body.shares)
    if name == "while":
        parts = [work(region) for region in node.regions]
        return Work(_TRIPS * sum(p.nanoseconds for p in parts), False, any(p.shares for p in parts))
    if name == "cond":
        parts = [work(region) for region in node.regions]
        most = max(p.nanoseconds for p in parts)
        even = all(p.certain and p.nanoseconds > 0.3 * most for p in parts)
        return Work(most, even, any(p.shares for p in parts))
    shapes = [v.type.shape for v in (*node.operands, *node.values) if v.type.shape]
    if not shapes:
        return Work(_NUMBER * max(1.0, float(node.cost.flops)))
    if node.op.memory == "view" or name in ("put_window", "update_slice"):
        return Work(_NUMBER)
    elements = max(float(np.prod([float(extents.bound(n)) for n in shape])) for shape in shapes)
    nanoseconds = _FLOP * float(node.cost.flops) + _WORD * elements
    static = all(extents.is_static(shape) for shape in shapes)
    return Work(nanoseconds, static, static and nanoseconds > nests.WORTH)
