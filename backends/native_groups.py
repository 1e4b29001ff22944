"""Nodes that are done together: when the first of them is lowered, what the others need has to be there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from lazyarr.ir.node import Node, Value


class Group(Protocol):
    """What is done when one node is."""

    @property
    def needs(self) -> Sequence[Value]:
        """Values that have to be known then, beside the node's own operands."""

    @property
    def members(self) -> Sequence[Node]:
        """The nodes that are done with it, and follow it."""


class Circle(Exception):
    """Two groups would have to come before each other."""


AnyGroup = TypeVar("AnyGroup", bound=Group)


def dependent(nodes: Sequence[Node], first: Node) -> set[Node]:
    """The nodes that need `first`, itself among them; `nodes` are in order."""
    found = {first}
    for node in nodes:
        if any(v.node in found for v in node.operands):
            found.add(node)
    return found


def may_come(node: Node, place: Mapping[Node, int], first: Node, fixed: set[str]) -> bool:
    """Whether a node, and what it needs, may be done before `first`: nothing that is named in `fixed`."""
    pending, seen = [node], {node}
    while pending:
        one = pending.pop()
        if place.get(one, -1) < place.get(first, -1):
            continue
        if one.op.name in fixed:
            return False
        new = {v.node for v in one.operands} - seen
        seen |= new
        pending.extend(new)
    return True


def apart(groups: Mapping[Node, AnyGroup], nodes: Sequence[Node], kept: Mapping[Node, Group]) -> dict[Node, AnyGroup]:
    """Those of several groups that can be put in an order one after the other, and with all that are `kept`."""
    found: dict[Node, AnyGroup] = {}
    for first, group in groups.items():
        found[first] = group
        try:
            together(nodes, {**kept, **found})
        except Circle:
            del found[first]
    return found


def needed(node: Node, groups: Mapping[Node, Group]) -> list[Node]:
    """What comes before a node: its operands, and what the group that it begins needs."""
    group = groups.get(node)
    return [v.node for v in (*node.operands, *(group.needs if group else ()))]


def together(nodes: Sequence[Node], groups: Mapping[Node, Group]) -> list[Node]:
    """The nodes in an order in which what each group needs is known when it begins.

    Raises
    ------
    Circle
        If there is none.
    """
    inside, order = set(nodes), dict[Node, None]()
    begins = {member: first for first, group in groups.items() for member in group.members if member is not first}
    for start in nodes:
        stack, open = [start], set[Node]()
        while stack:
            node = stack[-1]
            before = needed(node, groups) + ([begins[node]] if node in begins else [])
            missing = [n for n in before if n in inside and n not in order]
            if node in order or not missing:
                stack.pop()
                open.discard(node)
                order[node] = None
                continue
            if node in open and any(n in open for n in missing):
                raise Circle
            open.add(node)
            stack.extend(missing)
    return list(order)
