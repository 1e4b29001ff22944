"""What is computed beside what somebody asks for, in the same passes over large data."""

from __future__ import annotations

from collections.abc import Sequence

from lazyarr.ir.graph import depth_first
from lazyarr.ir.node import Node, Value
from lazyarr.leaves import Leaf

#: Bytes of data that is worth reading once for several results; how many times smaller these are.
_LARGE, _SMALLER = 1 << 18, 16


def _is_simple(node: Node) -> bool:
    """Whether a node takes little more time than reading its operands."""
    return node.op.pointwise or node.op.memory != "fresh" or node.op.name in ("reduce", "argmax", "argmin")


def reductions_beside(reached: set[Node], pending: Sequence[Value]) -> set[Node]:
    """What is small, and made of the large arrays that are read now alone: one pass over them will do for it, too."""
    large: set[Node] = {node for node in reached if isinstance(node, Leaf) and node.types[0].nbytes >= _LARGE}
    if not large:
        return set()
    most = max(node.types[0].nbytes for node in large) // _SMALLER
    # (What is made of a large value that is held would have that computed, now and again.)
    left = {v.node for v in pending if v.type.nbytes > most and v.node not in reached}
    made, found = set(large), set()
    for node in depth_first(pending, set(reached)):
        operands = [v.node for v in node.operands]
        if isinstance(node, Leaf):
            if node.types[0].nbytes > most:
                left.add(node)
        elif node in left:
            continue
        elif any(x in left for x in operands) or not _is_simple(node):
            left.add(node)
        elif any(x in made for x in operands):
            made.add(node)
            found.add(node)
    return {v.node for v in pending if v.node in found and v.type.nbytes <= most}
