"""Which arrays of a graph are read at the True elements of one mask: ``x[mask]``, ``y[mask]`` are one pass over all.

In the graph the True elements are counted, their positions found, and each array read there. Found here is what belongs
together; `native_select` makes the pass, where the elements are counted, and what reads the arrays comes before. What
is read at the other elements (``y[~mask]``) belongs to the same pass, if it does not need what the first has found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lazyarr.ir import extents
from lazyarr.ir.graph import Graph
from lazyarr.ir.node import Node, Value

#: Bytes of elements that are moved as they are.
_SIZES = (1, 2, 4, 8, 16)


@dataclass(frozen=True)
class Selection:
    """What a mask selects.

    Attributes
    ----------
    mask : Value
        Of one axis.
    total : Node
        The number of its True elements.
    positions : Node
        Where these are.
    gathers : tuple of Node
        What reads arrays of one axis there.
    listed : bool
        Whether something else needs the positions.
    rest : Selection, optional
        What the same pass selects where the mask is False.
    """

    mask: Value
    total: Node
    positions: Node
    gathers: tuple[Node, ...]
    listed: bool
    rest: Selection | None = None

    @property
    def sides(self) -> tuple[Selection, ...]:
        """What is selected by one pass."""
        return (self,) if self.rest is None else (self, self.rest)

    @property
    def sources(self) -> list[Value]:
        """The arrays that are read, one for each of `gathers`."""
        return [node.operands[0] for node in self.gathers]

    @property
    def nodes(self) -> Iterator[Node]:
        """What is known when the elements have been counted."""
        yield self.positions
        yield from self.gathers


def find(graph: Graph) -> dict[Node, Selection]:
    """The selections of a graph (not of its regions), by the nodes that count elements."""
    found: dict[Node, Selection] = {}
    for node in graph.nodes:
        if node.op.name == "flatnonzero":
            selection = _selection(graph, node, found)
            if selection is not None and selection.total not in found:
                found[selection.total] = selection
    return _paired(graph, found)


def _paired(graph: Graph, found: dict[Node, Selection]) -> dict[Node, Selection]:
    """The selections, the first of two that share a mask with its `rest`."""
    place = {node: k for k, node in enumerate(graph.nodes)}
    totals = sorted(found, key=place.__getitem__)
    for k, total in enumerate(totals):
        for other in totals[k + 1 :]:
            first, rest = found[total], found[other]
            if not _opposite(first.mask, rest.mask):
                continue
            later = [_dependent(graph.nodes, t, found) for t in (other, total)]
            if any(v.node in later[0] for v in first.sources) or any(v.node in later[1] for v in rest.sources):
                continue
            if not any(_accesses(node) for node in _needed_after(rest, place, place[total])):
                found[total] = replace(first, rest=rest)
    return found


def _opposite(mask: Value, other: Value) -> bool:
    """Whether one of two masks is True where the other is False."""
    pairs = ((mask, other), (other, mask))
    return any(x.node.op.name in ("invert", "logical_not") and x.node.operands[0] == y for x, y in pairs)


def _needed_after(selection: Selection, place: dict[Node, int], first: int) -> Iterator[Node]:
    """The nodes behind number `first` that have to come before it if what a selection reads does."""
    stack = [value.node for value in selection.sources]
    while stack:
        node = stack.pop()
        if place.get(node, -1) > first:
            yield node
            stack.extend(v.node for v in node.operands)


def _accesses(node: Node) -> bool:
    """Whether a check may have to come before a node."""
    if node.op.name == "window":
        return any(dim != ("all",) for dim in node.kw["dims"])
    return not node.op.pointwise and node.op.name not in ("const", "cast", "reshape")


def _selection(graph: Graph, positions: Node, found: dict[Node, Selection]) -> Selection | None:
    mask, count = positions.operands
    total = count.node
    if total not in graph.nodes or total.op.name != "reduce" or total.kw["kind"] != "add":
        return None
    truths = total.operands[0].node
    if truths.op.name != "cast" or truths.operands[0] != mask or not mask.type.dtype.kind == "b":
        return None
    later = _dependent(graph.nodes, total, found)
    place = positions.values[0]
    users = [node for node in graph.nodes if place in node.operands]
    gathers = tuple(node for node in users if _reads(node, place, mask) and node.operands[0].node not in later)
    if not gathers:
        return None
    listed = len(gathers) < len(users) or place in graph.roots
    return Selection(mask, total, positions, gathers, listed)


def _reads(node: Node, positions: Value, mask: Value) -> bool:
    """Whether a node reads an array of one axis, as long as the mask may be, at positions."""
    if node.op.name != "gather" or node.operands[1:] != (positions,):
        return False
    x = node.operands[0].type
    if x.ndim != 1 or x.dtype.itemsize not in _SIZES:
        return False
    return 0 < extents.bound(mask.type.shape[0]) <= extents.bound(x.shape[0])


def _dependent(nodes: Sequence[Node], first: Node, found: dict[Node, Selection]) -> set[Node]:
    """The nodes that need `first`, itself among them, if selections come after what they read."""
    later = {first}
    size = 0
    while size < len(later):
        size = len(later)
        later.update(node for node in nodes if any(v.node in later for v in _needed(node, found)))
    return later


def _needed(node: Node, found: dict[Node, Selection]) -> Iterator[Value]:
    yield from node.operands
    for value in node.values:
        yield from (n.scalar for n in value.type.shape if isinstance(n, extents.Length))
    if node in found:
        yield from (value for side in found[node].sides for value in side.sources)


def _closure(node: Node, found: dict[Node, Selection]) -> set[Node]:
    """What a node needs, itself among it, if selections come after what they read."""
    closure: set[Node] = set()
    stack = [node]
    while stack:
        one = stack.pop()
        if one not in closure:
            closure.add(one)
            stack.extend(value.node for value in _needed(one, found))
    return closure


def together(nodes: Sequence[Node], found: dict[Node, Selection], guarded: set[str], checks: Sequence[Node]
             ) -> Sequence[Node]:  # fmt: skip
    """The nodes in an order in which all that a selection reads comes before it, and what it gives follows it.

    Nodes named in `guarded` stay behind those of `checks` that they were behind, but for checks of what is selected.
    """
    if not found:
        return nodes
    place = {node: k for k, node in enumerate(nodes)}
    order: dict[Node, None] = {}
    begun: set[Node] = set()
    needed = {check: _closure(check, found) for check in checks}
    # What has begun and is not in its place yet.
    waiting: set[Node] = set()

    def run(node: Node) -> None:
        if node in begun or node not in place:
            return
        begun.add(node)
        waiting.add(node)
        for operand in node.operands:
            run(operand.node)
        if node.op.name in guarded:
            for check in checks:
                if place.get(check, len(nodes)) < place[node] and not needed[check] & waiting:
                    run(check)
        selection = found.get(node)
        for side in selection.sides if selection is not None else ():
            for value in side.sources:
                run(value.node)
        waiting.discard(node)
        order[node] = None
        if selection is None:
            return
        for member in selection.nodes:
            begun.add(member)
            order[member] = None
        if selection.rest is not None:
            run(selection.rest.total)

    for node in nodes:
        run(node)
    return tuple(order)
