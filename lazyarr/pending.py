"""What else is computed where data is looked at: which of the values that somebody holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lazyarr import settings
from lazyarr.eager import REDUCTIONS
from lazyarr.ir.graph import depth_first, form
from lazyarr.ir.node import Node, Value
from lazyarr.leaves import LEAF, Leaf
from lazyarr.plans import plans

if TYPE_CHECKING:
    from lazyarr.evaluations import Known
    from lazyarr.observers import Holder
    from lazyarr.runtime import Recording


class Form:
    """What is decided for all that is recorded in one form.

    Attributes
    ----------
    chosen : tuple of int or None
        Which of what is pending is computed; None: all.
    passed : int
        How many nodes that passes by.
    known : Known or None
        How it is computed, once that is known.
    won : float or None
        What that wins (`lazyarr.eager.won`), once that is known.
    """

    __slots__ = ("chosen", "known", "passed", "won")

    def __init__(self, chosen: tuple[int, ...] | None, passed: int):
        self.chosen, self.passed = chosen, passed
        self.known: Known | None = None
        self.won: float | None = None


def held_with(
    now: Recording, wanted: Sequence[Value], pending: list[Holder]
) -> tuple[list[Holder], Form | None, list[Leaf]]:
    """What of all that is pending is computed with some values: what they pass through, or share work with.

    (What only shares work is left if it is larger than all that has to be computed; what only shares large data, if it
    is not much smaller than that.)

    Returns
    -------
    list of Holder
    Form or None
        What is decided for all that is recorded in this form; None where something else is done this time.
    list of Leaf
        The leaves of the form.
    """
    tested = [c.ok for c, _ in now.checks]
    parts, ends, leaves = form([*wanted, *tested, *[h.value for h in pending]], LEAF)
    key = parts, ends, len(pending)
    known = _forms.get(key)
    if known is None:
        known = Form(*_with(set(depth_first([*wanted, *tested])), pending))
        if len(parts) <= _LONG:
            if len(_forms) >= _KNOWN:
                _forms.clear()
            _forms[key] = known
    now.passed += known.passed
    # (What is passed by again and again would keep what it is made of.)
    if known.passed and now.passed > _PASSED and now.at_once:
        return pending, None, leaves
    return (pending if known.chosen is None else [pending[k] for k in known.chosen]), known, leaves


def forget() -> None:
    """Keep nothing of what has been decided."""
    _forms.clear()


settings.watch(forget)
plans.watch(forget)


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
_forms: dict[Any, Form] = {}
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
