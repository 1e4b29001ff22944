"""Finds where XLA would compute values more than once.

XLA fuses a value into each of the places that read it shifted, as a stencil reads its operand, and computes it anew for
each. In a chain of stencils that costs up to a factor of two: 16 sweeps of a five-point stencil in one executable took
430 us a sweep on arrays of 400 x 400, one sweep an executable 200 us. On 40 x 40, where starting an executable costs
more than a sweep, it was 4 us against 30.
"""

from __future__ import annotations

from collections.abc import Sequence

from lazyarr.ir import extents
from lazyarr.ir.node import Node, Value


def shifted_reads(nodes: Sequence[Node]) -> dict[Node, int]:
    """For each of `nodes`, run as one region, how many shifted reads of computed values stand before it in a row.

    A row ends where XLA writes a value to memory: at a reduction, a product of matrices, a sort.
    """
    several = _read_several_ways(nodes)
    reads: dict[Node, int] = {}
    computed: set[Node] = set()
    for node in nodes:
        inside = [v for v in node.operands if v.node in reads]
        before = [reads[v.node] + (v in several and v.node in computed) for v in inside if _is_fused(v.node)]
        reads[node] = max(before, default=0)
        # Moving what is in memory computes nothing.
        if not moves_only(node) or any(v.node in computed for v in inside):
            computed.add(node)
    return reads


def _is_fused(node: Node) -> bool:
    """Whether XLA computes `node` inside of what reads it, instead of writing its result to memory."""
    return node.op.pointwise or moves_only(node)


def moves_only(node: Node) -> bool:
    """Whether `node` does no arithmetic."""
    return extents.number(node.cost.flops) == 0


def _read_several_ways(nodes: Sequence[Node]) -> set[Value]:
    """Values that are read at more than one shift."""
    ways: dict[Value, set[object]] = {}
    for node in nodes:
        for k, value in enumerate(node.operands):
            ways.setdefault(value, set()).add((node.op.name, node.attrs, k) if not node.op.pointwise else None)
    return {value for value, found in ways.items() if len(found) > 1}
