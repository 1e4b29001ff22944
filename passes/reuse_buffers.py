"""reuse_buffers: finds the operands of regions that are dead afterwards, whose memory a result may take.

Fresh memory costs XLA more than arithmetic: a result that is written over a dead operand runs several times faster.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from lazyarr.ir.graph import Graph, Program
from lazyarr.ir.node import Node, make
from lazyarr.ir.rewrite import Rebuild
from lazyarr.ops.control import REGION
from lazyarr.passes.base import Pass


@dataclass(frozen=True)
class ReuseBuffers(Pass):
    """Set ``donate`` of XLA regions. Run it last: what changes the order afterwards breaks what it found.

    Attributes
    ----------
    owned : tuple of int
        Parameters of the program whose memory belongs to whoever runs it and is shared with nothing else. All
        others are the caller's and never written.
    """

    name: ClassVar[str] = "reuse_buffers"
    owned: tuple[int, ...] = ()

    def run(self, program: Program) -> Program:
        donations = donatable(program.graph, self.owned)
        rebuilt = Rebuild(program)
        for node in program.graph.nodes:
            attrs = node.attrs
            if node.op is REGION:
                attrs = tuple((k, v) for k, v in attrs if k != "donate")
                if donations.get(node):
                    attrs = (*attrs, ("donate", donations[node]))
            rebuilt.add(node, make(node.op, tuple(rebuilt.new[v] for v in node.operands), attrs))
        return rebuilt.finish()


def donatable(graph: Graph, owned: tuple[int, ...] = ()) -> dict[Node, tuple[int, ...]]:
    """For each XLA region the positions of operands that are dead after it and whose memory a result can take.

    A value is dead when it is not read later or returned. Only what XLA made, or `owned` parameters, are given away:
    XLA's results have memory of their own each. And only where a result has the same type; jax warns of others. What
    a NumPy region has read or made is not: a view of it may live on, in its results or in the array's own cache.
    """
    mine = {graph.params[k] for k in owned}
    kept = [*graph.roots, *(p for p in graph.params if p not in mine)]
    for node in graph.nodes:
        if not _runs_in_xla(node):
            kept += [*node.operands, *node.values]
    busy = set(kept)
    last = {v: k for k, node in enumerate(graph.nodes) for v in node.operands}
    found: dict[Node, tuple[int, ...]] = {}
    for k, node in enumerate(graph.nodes):
        if not _runs_in_xla(node):
            continue
        room = Counter(value.type for value in node.values)
        handed_in = Counter(node.operands)
        positions: list[int] = []
        for position, value in enumerate(node.operands):
            if value in busy or last[value] > k or handed_in[value] > 1 or value.type.shape == ():
                continue
            if room[value.type]:
                room[value.type] -= 1
                positions.append(position)
        if positions:
            found[node] = tuple(positions)
    return found


def _runs_in_xla(node: Node) -> bool:
    return node.op is REGION and bool(node.kw["backend"] == "xla")
