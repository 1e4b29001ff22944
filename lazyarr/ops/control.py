"""Operations that hold graphs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lazyarr.ir.access import OperandAccess, whole
from lazyarr.ir.graph import Graph, param
from lazyarr.ir.node import apply
from lazyarr.ir.op import Cost, Op, Sample, Types, lookup
from lazyarr.ir.types import ArrayType, parse


def _infer_region(*types: ArrayType, backend: str, body: Graph, donate: tuple[int, ...] = ()) -> Types:
    expected = tuple(p.type for p in body.params)
    if types != expected:
        raise TypeError(f"region takes {expected}, got {types}")
    if sorted(set(donate)) != list(donate) or not set(donate) <= set(range(len(types))):
        raise ValueError(f"region of {len(types)} operands cannot donate {donate}")
    return tuple(value.type for value in body.roots)


def _access_region(*types: ArrayType, **attrs: Any) -> tuple[OperandAccess, ...]:
    return whole(*(t.shape for t in types))


def graph_cost(graph: Graph) -> Cost:
    """Cost of a graph: the sum over its nodes, each reading and writing memory."""
    costs = [node.cost for node in graph.nodes]
    return Cost(sum((c.flops for c in costs), 0), sum((c.bytes for c in costs), 0))


def runs_by_data(graph: Graph) -> bool:
    """Whether there is a loop that data ends: what is computed may then decide how often it runs."""
    for node in graph.nodes:
        if node.op.name == "while" or (node.op.name == "loop" and node.kw["until"] >= 0):
            return True
        if any(runs_by_data(region) for region in node.regions):
            return True
    return False


def _cost_region(*types: ArrayType, body: Graph, **attrs: Any) -> Cost:
    # A region touches memory only for what crosses its border: that is what fusing is for.
    crossing = sum((t.nbytes for t in types), 0) + sum((v.type.nbytes for v in body.roots), 0)
    return Cost(graph_cost(body).flops, crossing)


def _sample_region() -> Iterator[Sample]:
    x = param(0, parse("f64[3,4]"))
    y = param(1, parse("f64[4]"))
    body = Graph([x, y], [apply(lookup("add"), apply(lookup("multiply"), x, y), y)])
    yield Sample(("f64[3,4]", "f64[4]"), {"backend": "xla", "body": body})


#: Part of a program that one back end runs as a whole; for XLA, one executable. ``donate`` holds the positions of
#: operands that are dead afterwards, in ascending order: the back end may write results into their memory. Results are
#: those of the body, then the conditions of its checks; where one of these does not hold, the others mean nothing.
REGION = Op(
    name="region",
    numpy="several calls",
    infer=_infer_region,
    evaluate=lambda xp, *arrays, backend, body, donate=(): body(*arrays),
    jax=None,
    access=_access_region,
    pointwise=False,
    memory="fresh",
    cost=_cost_region,
    backends=("xla", "numpy"),
    samples=_sample_region,
)
