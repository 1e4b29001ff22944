"""How much NumPy does where it runs what has been recorded."""

from __future__ import annotations

from typing import Any

from lazyarr.ir.node import Node

#: Operations that give an array in which some elements are others: NumPy writes these alone.
_UPDATES = frozenset({"update_slice", "dynamic_update_slice", "put_window", "scatter", "scatter_within"})
#: Those that read as many elements of an array as they give.
_ELEMENTS = frozenset({"dynamic_slice", "gather", "gather_within"})


def made(node: Node) -> Any:
    """How many elements a node computes, or writes."""
    if node.op.name in _UPDATES:
        return node.operands[1].type.size
    return sum(v.type.size for v in node.values)


def moved(node: Node) -> Any:
    """How many elements it reads or writes; a view, or what is data already, none."""
    if node.op.memory != "fresh" or node.op.name == "leaf":
        return 0
    read = () if node.op.name in _UPDATES | _ELEMENTS else node.operands
    return max([made(node), *(v.type.size for v in read)])
