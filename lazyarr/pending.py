"""What else is computed where data is looked at: which of the values that somebody holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lazyarr.eager import REDUCTIONS
from lazyarr.ir.graph import depth_first, form
from lazyarr.ir.node import Node, Value
from lazyarr.leaves import LEAF, Leaf

if TYPE_CHECKING:
    from lazyarr.runtime import Holder, Recording


def held_with(now: Recording, wanted: Sequence[Value], pending: list[Holder]) -> list[Holder]:
    """What of all that is pending is computed with some values: what they pass through, or share work with.

    (What only shares work is left if it is larger than all that has to be computed; what only shares large data, if it
    is not much smaller than that.)
    """
    tested = [c.ok for c, _ in now.checks]
    parts, ends, _ = form([*wanted, *tested, *[h.value for h in pending]], LEAF)
    key = parts, ends, len(pending)
    known = _known.get(key)
    if known is None:
        known = _with(set(depth_first([*wanted, *tested])), pending)
        if len(parts) <= _LONG:
            if len(_known) >= _KNOWN:
                _known.clear()
            _known[key] = known
    chosen, passed = known
    now.passed += passed
    # (What is passed by again and again would keep what it is made of.)
    if chosen is None or (passed and now.passed > _PASSED and now.at_once):
        return pending
    return [pending[k] for k in chosen]


def _with(reached: set[Node], pending: Sequence[Holder]) -> tuple[tuple[int, ...] | None, int]:
    """Which of what is pending is computed with the nodes reached (None: all), and how many nodes that passes by."""
    if all(h.value.node in reached for h in pending):
        return None, 0
    # (Data that exists, and constants, are no work that is shared.)
    shared = {node for node in reached if node.operands}
    passed = 0
    for node in depth_first([h.value for h in pending], set(shared)):
        passed += 1
        if any(v.node in shared for v in node.operands):
            shared.add(node)
    most = max([t.nbytes for node in reached for t in node.types], default=0)
    beside = _reductions_beside(reached, pending)
    return tuple([k for k, h in enumerate(pending) if h.value.node in reached or h.value.node in beside
                  or h.value.node in shared and h.value.type.nbytes <= most]), passed  # fmt: skip


#: What has been decided, by the graphs' form; as much of it as is remembered, of graphs of so many nodes at most.
_known: dict[Any, tuple[tuple[int, ...] | None, int]] = {}
_KNOWN, _LONG = 256, 1000
#: Pending operations that evaluations pass by before they compute all.
_PASSED = 500
#: Bytes of data that is worth reading once for several results; how many times smaller these are.
_LARGE, _SMALLER = 1 << 18, 16


def _is_simple(node: Node) -> bool:
    """Whether a node takes little more time than reading its operands."""
    return node.op.pointwise or node.op.memory != "fresh" or node.op.name in REDUCTIONS


def _reductions_beside(reached: set[Node], pending: Sequence[Holder]) -> set[Node]:
    """What is small, and made of the large arrays that are read now alone: one pass over them will do for it, too."""
    large: set[Node] = {node for node in reached if isinstance(node, Leaf) and node.types[0].nbytes >= _LARGE}
    if not large:
        return set()
    most = max(node.types[0].nbytes for node in large) // _SMALLER
    # (What is made of a large value that is held would have that computed, now and again.)
    left = {h.value.node for h in pending if h.value.type.nbytes > most and h.value.node not in reached}
    made, found = set(large), set()
    for node in depth_first([h.value for h in pending], set(reached)):
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
    return {h.value.node for h in pending if h.value.node in found and h.value.type.nbytes <= most}
