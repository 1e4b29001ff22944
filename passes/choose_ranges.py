"""What is computed where: backward, from what is wanted of each value to what is wanted of its operands.

A value that is wanted beyond what a rank owns is computed there again if that is little (its operands are then wanted
beyond), or comes from who owns it: one exchange for all that is wanted on both sides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from lazyarr.ir import extents
from lazyarr.ir.access import Along
from lazyarr.ir.graph import Graph
from lazyarr.ir.layout import (
    Need,
    Ranges,
    Split,
    all_within,
    hull,
    hulls,
    is_whole,
    length,
    reads,
)
from lazyarr.ir.node import Node, Value
from lazyarr.ops.control import graph_cost
from lazyarr.ops.window import PUT_WINDOW, WINDOW
from lazyarr.passes.choose_layout import REGIONS, Layouts, before_operands, can_be_split, contracted, splits

#: A value is computed beyond what a rank owns, by this part of it at most (or so many indices).
_BEYOND, _FEW = 4, 2
#: How much more memory a loop has to go through than it gathers.
_GATHERS = 4
#: How much more time has to be saved by sharing a loop's work than its reductions take by the model: ranks wait, too.
_WAITS = 3


@dataclass
class Wanted:
    """Which ranges of a graph's values are computed, and which are exchanged.

    Attributes
    ----------
    computed : dict of Value to Need
        What each position has of a value before anything is exchanged; None for an axis: all of it.
    groups : dict of (Value, int) to list of Ranges
        For an axis that is split: what is exchanged, together, of what is wanted and not computed there.
    wants : dict of Value to list of Need
    stored : dict of Value to Need
        Of values that loops carry, and of what is written into them: the room that they have, for what comes from
        others too. It holds what is computed; the rest is nobody's before an exchange.
    gathered : int
        Bytes of values that are split and wanted whole.
    results : tuple of Need
        What is wanted of the graph's results.
    inner : dict of (Node, str) to Wanted
    """

    layouts: Layouts
    computed: dict[Value, Need] = field(default_factory=dict)
    groups: dict[tuple[Value, int], list[Ranges]] = field(default_factory=dict)
    wants: dict[Value, list[Need]] = field(default_factory=dict)
    inner: dict[tuple[Node, str], Wanted] = field(default_factory=dict)
    stored: dict[Value, Need] = field(default_factory=dict)
    gathered: int = 0
    results: tuple[Need, ...] = ()
    _read: dict[tuple[Node, int], Need] = field(default_factory=dict)

    def want(self, value: Value, need: Need) -> None:
        known = self.wants.setdefault(value, [])
        if need not in known:
            known.append(need)

    def reads(self, node: Node, k: int) -> Need:
        """What is wanted of operand `k` of a node that can be split, for what is computed of its result."""
        known = self._read.get((node, k))
        if known is not None:
            return known
        operand, wanted = node.operands[k], self.computed[node.values[0]]
        if node in self.layouts.rearranged:
            return self.layouts.of[operand]
        found: list[Split | None] = []
        for entry, extent in zip(node.access[k], operand.type.shape, strict=True):
            results = wanted[entry.axis] if isinstance(entry, Along) else None
            if results is None:
                found.append(None)
            else:
                assert isinstance(entry, Along)
                found.append(Split(results.dim, reads(entry, results.ranges, extent)))
        across = self.layouts.across.get(node)
        if across is not None and (axis_here := across.line.operands[k]) is not None:
            found[axis_here] = across.operands[k]
        for at, axis in contracted(node) if node in self.layouts.reduced else ():
            split = self._term(node, axis, at)
            if at == k and split is not None:
                found[axis] = split
        self._read[node, k] = tuple(found)
        return tuple(found)

    def _term(self, node: Node, axis: int, k: int) -> Split | None:
        """The pieces of an axis whose terms ranks add up by themselves."""
        axes = contracted(node)
        if len({operand for operand, _ in axes}) == 1:
            split = self.layouts.of[node.operands[k]][axis]
        else:
            splits = (self.layouts.of[node.operands[o]][a] for o, a in axes)
            split = next((s for s in splits if s is not None and s.dim in self.layouts.reduced[node]), None)
        return split if split is not None and split.dim in self.layouts.reduced[node] else None


def choose_ranges(graph: Graph, layouts: Layouts, results: Sequence[Need], local: Sequence[Value] = ()) -> Wanted:
    """What is computed of each value.

    Parameters
    ----------
    graph : Graph
    layouts : Layouts
        Of its values.
    results : sequence of Need
        What is wanted of each result.
    local : sequence of Value
        Parameters of which a rank has what it owns; of others it has all that is wanted.
    """
    found = Wanted(layouts, results=tuple(results))
    for value, need in zip(graph.results, results, strict=True):
        found.want(value, need)
    for check in graph.checks:
        found.want(check.ok, all_of(check.ok))
    for node in reversed(graph.nodes):
        _backward(found, node)
    for value in graph.params:
        _settle(found, value, may_widen=value not in local, given=value not in local)
    return found


def all_of(value: Value) -> Need:
    """Every index."""
    return (None,) * value.type.ndim


def _backward(found: Wanted, node: Node) -> None:
    if not any(v in found.wants for v in node.values):
        return
    splittable = node.op.name not in REGIONS and (can_be_split(node) or node in found.layouts.across)
    for value in node.values:
        found.wants.setdefault(value, [])
        fixed = (found.layouts.reduced, found.layouts.across, found.layouts.rearranged)
        widen = splittable and not any(node in those for those in fixed)
        _settle(
            found, value, may_widen=widen, given=node.op.memory == "free", little=node in found.layouts.little,
            moves=node.op.name == "slice",
        )  # fmt: skip
    if node.op.name in REGIONS:
        _region(found, node)
    elif not splittable:
        for operand in node.operands:
            found.want(operand, all_of(operand))
    else:
        for k, operand in enumerate(node.operands):
            found.want(operand, found.reads(node, k))


def _settle(
    found: Wanted, value: Value, may_widen: bool, given: bool, little: bool = False, moves: bool = False
) -> None:  # fmt: skip
    """Decide what is computed of a value.

    Parameters
    ----------
    given : bool
        Any part of it is at hand wherever it is wanted.
    little : bool
        It is computed whole where somebody wants it whole.
    moves : bool
        It only moves what its operand has: who owns nothing of it gets that of the operand, in one exchange with what
        else comes from there.
    """
    layout = found.layouts.of[value]
    if is_whole(layout):
        found.computed[value] = layout
        return
    wants = found.wants.get(value, [])
    computed: list[Split | None] = list(layout)
    for axis, split in enumerate(layout):
        if split is None:
            continue
        entries = [need[axis] for need in wants]
        bounded = [e for e in entries if e is not None and e.dim == split.dim]
        elsewhere = len(bounded) < len(entries)
        if elsewhere and not given and not little:
            found.gathered += value.type.nbytes
        if may_widen and bounded:
            wide = bounded[0].ranges
            for entry in bounded[1:]:
                wide = hulls(wide, entry.ranges)
            if elsewhere:
                wide = hulls(wide, split.ranges)
            if given or _is_little(wide, split.ranges, moves):
                computed[axis] = Split(split.dim, wide)
        if (given or little) and may_widen and elsewhere:
            computed[axis] = None
    # What somebody else wants, its owner has to have.
    for axis, split in enumerate(layout):
        here = computed[axis]
        if split is None or here is None:
            continue
        missing = [need[axis] for need in wants if not within(need[axis], here)]
        if missing:
            here = computed[axis] = Split(split.dim, hulls(here.ranges, split.ranges))
        groups: list[Ranges] = []
        for need in missing:
            if need is not None and need.dim == split.dim:
                _group(groups, need.ranges)
        found.groups[value, axis] = groups
    found.computed[value] = tuple(computed)


def within(need: Split | None, have: Split | None) -> bool:
    """Whether every position has what it wants of an axis."""
    if have is None:
        return True
    if need is None or need.dim != have.dim:
        return False
    return all_within(need.ranges, have.ranges)


def _is_little(wide: Ranges, mine: Ranges, moves: bool) -> bool:
    return all(
        length(hull(a, b)) - length(b) <= max(_FEW, length(b) // _BEYOND) or (moves and not length(b))
        for a, b in zip(wide, mine, strict=True)
    )


def _group(groups: list[Ranges], ranges: Ranges) -> None:
    """Add ranges to those that one exchange brings, where that brings nothing that nobody wants."""
    for k, group in enumerate(groups):
        both = hulls(group, ranges)
        if all(length(c) <= length(a) + length(b) for a, b, c in zip(group, ranges, both, strict=True)):
            groups[k] = both
            return
    groups.append(ranges)


def _region(found: Wanted, node: Node) -> None:
    """What a loop or branch wants of its operands."""
    first = REGIONS[node.op.name]
    operands = node.operands[first:]
    for operand in node.operands[:first]:
        found.want(operand, all_of(operand))
    carried = node.kw.get("carried", 0)
    deep = found.layouts.deep.get(node, 0)
    for operand, layout in zip(operands[:carried], (found.layouts.of[v] for v in node.values), strict=False):
        found.want(operand, layout)
    wants: list[list[Need]] = [[] for _ in operands]
    for name, graph in node.attrs:
        if not isinstance(graph, Graph):
            continue
        inner = found.layouts.inner[node, name]
        lead = before_operands(node, name)
        params = graph.params[lead:]
        if all(is_whole(found.layouts.of[v]) for v in (*operands, *node.values)) and not splits(inner):
            wanted = [all_of(v) for v in graph.results]
        elif name == "cond":
            wanted = [all_of(v) for v in graph.results]
        else:
            wanted = [found.layouts.of[v] for v in node.values]
        several = repeated(graph, inner, wanted, deep) if deep else None
        if several is not None:
            ranges, rooms = several
            _widen(ranges, graph, params[:carried], rooms)
            for operand, room in zip(operands, rooms, strict=False):
                found.want(operand, room)
        else:
            ranges = choose_ranges(graph, inner, wanted, params[:carried])
        found.inner[node, name] = ranges
        for k, value in enumerate(params[carried:], carried):
            if value in ranges.wants:
                wants[k].append(ranges.computed[value])
    if not deep:
        _make_room(found, node, carried)
    for k, operand in enumerate(operands[carried:], carried):
        both = _together(wants[k]) if wants[k] else found.layouts.of[operand]
        found.want(operand, both)
        for (inside, name), ranges in found.inner.items():
            if inside is node:
                lead = before_operands(node, name)
                ranges.computed[node.kw[name].params[lead + k]] = both


def _make_room(found: Wanted, node: Node, carried: int) -> None:
    """Let arrays that a loop carries have room for what comes from others: it is then not copied with all the rest."""
    graphs = [(g, found.inner[node, name], before_operands(node, name)) for name, g in node.attrs
              if isinstance(g, Graph)]  # fmt: skip
    for k in range(carried):
        layout = found.layouts.of[node.values[k]]
        room: list[Split | None] = list(layout)
        for graph, inner, lead in graphs:
            for axis, split in enumerate(layout):
                if split is None:
                    continue
                for group in inner.groups.get((graph.params[lead + k], axis), ()):
                    if beside(split.ranges, group):
                        known = room[axis]
                        assert known is not None
                        room[axis] = Split(split.dim, hulls(known.ranges, group))
        if tuple(room) == layout:
            continue
        for graph, inner, lead in graphs:
            param = graph.params[lead + k]
            inner.stored[param] = tuple(room)
            if len(graph.results) < carried:
                continue  # the condition of a loop
            chain, value = _written(inner, graph.results[k], tuple(room))
            if value == param:
                inner.stored.update(dict.fromkeys(chain, tuple(room)))


def _written(inner: Wanted, value: Value, room: Need) -> tuple[list[Value], Value]:
    """The values in one array's memory from what is written last on backward, and the array."""
    chain = []
    while _has_room(inner.computed.get(value), room):
        if value.node.op.name == "update_slice":
            before = value.node.operands[0]
        elif value.node in inner.layouts.deep:
            before = value.node.operands[REGIONS["loop"] + value.index]
        else:
            break
        chain.append(value)
        value = before
    return chain, value


def repeated(graph: Graph, layouts: Layouts, own: Sequence[Need], times: int) -> tuple[Wanted, list[Need]] | None:
    """What the body of a loop computes so that several iterations need nothing from others, and of which arrays.

    All iterations compute the same: what the first one has to. Beyond what the next one needs, results are then made
    of what is nobody's any more, and nobody uses them.

    Parameters
    ----------
    graph : Graph
        The body; its parameters are the index, what is carried, and constants.
    layouts : Layouts
    own : sequence of Need
        What is wanted of the results after the last iteration.
    times : int

    Returns
    -------
    tuple of (Wanted, list of Need), or None
        None where something would have to be exchanged in an iteration.
    """
    carried = graph.params[1 : 1 + len(own)]
    rooms = list(own)
    for _ in range(times):
        found = choose_ranges(graph, layouts, rooms)
        if _talks(found):
            return None
        rooms = [_hull(found.computed[p], need) for p, need in zip(carried, own, strict=True)]
        # (Arrays that are exchanged from iteration to iteration have the same room.)
        for k, value in enumerate(graph.results):
            root = _root(value)
            if root in carried and (j := carried.index(root)) != k:
                rooms[k] = rooms[j] = _hull(rooms[k], rooms[j])
        if any(_gathers(room, need) for room, need in zip(rooms, own, strict=True)):
            return None
    return found, rooms


def _root(value: Value) -> Value:
    while value.node.op.name == "update_slice":
        value = value.node.operands[0]
    return value


def _talks(found: Wanted) -> bool:
    """Whether anything is communicated."""
    layouts = found.layouts
    return bool(
        any(found.groups.values()) or found.gathered or layouts.across or layouts.rearranged
        or (layouts.reduced and not layouts.partial)
        or any(_talks(inner) for inner in found.inner.values())
    )  # fmt: skip


def _hull(a: Need, b: Need) -> Need:
    return tuple(
        None if x is None or y is None else Split(x.dim, hulls(x.ranges, y.ranges))
        for x, y in zip(a, b, strict=True)
    )  # fmt: skip


def _gathers(room: Need, own: Need) -> bool:
    return any(r is None and o is not None for r, o in zip(room, own, strict=True))


def _widen(ranges: Wanted, graph: Graph, params: Sequence[Value], rooms: Sequence[Need]) -> None:
    """Let the arrays of a body have room for all that its iterations need."""
    for param, room in zip(params, rooms, strict=False):
        if not is_whole(room):
            ranges.stored[param] = room
            ranges.computed[param] = room
    for value, room in zip(graph.results, rooms, strict=False):
        if not is_whole(room):
            chain, array = _written(ranges, value, room)
            if ranges.stored.get(array) == room:
                ranges.stored.update(dict.fromkeys(chain, room))


def _has_room(computed: Need | None, room: Sequence[Split | None]) -> bool:
    return computed is not None and all(within(c, r) for c, r in zip(computed, room, strict=True))


def beside(have: Ranges, want: Ranges) -> bool:
    """Whether what is wanted is what is there and a little more on both sides."""
    more = [length(hull(a, b)) - length(a) for a, b in zip(have, want, strict=True)]
    return all(n <= length(b) for n, b in zip(more, want, strict=True)) and 2 * sum(more) <= sum(map(length, have))


def costly(wanted: Wanted) -> set[Node]:
    """Loops and branches that every rank had better run as a whole: what they gather is much of what they work on."""
    found: set[Node] = set()
    for (node, name), inner in wanted.inner.items():
        if _GATHERS * inner.gathered > graph_cost(node.kw[name]).bytes or _waits(inner, node.kw[name]):
            found.add(node)
        else:
            found |= costly(inner)
    return found


def _waits(inner: Wanted, body: Graph) -> bool:
    """Whether a loop over parts of arrays takes less time whole than with the reductions of its iterations."""
    layouts = inner.layouts
    boxes = [node for node in body.nodes if node.op in (WINDOW, PUT_WINDOW)]
    if not layouts.reduced or all(is_whole(layouts.of[node.operands[0]]) for node in boxes):
        return False
    ranks, model = math.prod(layouts.grid), layouts.model
    sums = [value.type.nbytes for node in layouts.reduced for value in node.values]
    seconds = sum(model.all_reduce(extents.bound(n), ranks, gathered=True) for n in sums)
    return _WAITS * seconds > model.worked(0, 0, _moved(body)) * (1 - 1 / ranks)


def _moved(graph: Graph) -> int:
    """Bytes that a graph goes through; of what is written into only that."""
    total = 0
    for node in graph.nodes:
        inner = sum(_moved(region) for region in node.regions)
        whole = node.op.into is not None
        total += inner or (2 * node.operands[1].type.nbytes if whole else node.cost.bytes)
    return extents.bound(total)


def exchanging(wanted: Wanted) -> set[Node]:
    """Loops of several iterations for one exchange in which something is exchanged all the same."""
    found: set[Node] = set()
    for (node, _), inner in wanted.inner.items():
        if node in wanted.layouts.deep and _talks(inner):
            found.add(node)
        found |= exchanging(inner)
    return found


def _together(needs: Sequence[Need]) -> Need:
    """What several graphs want of one value."""
    found: list[Split | None] = []
    for entries in zip(*needs, strict=True):
        first = entries[0]
        ranges = None if first is None else first.ranges
        for entry in entries:
            same = entry is not None and first is not None and entry.dim == first.dim
            ranges = hulls(ranges, entry.ranges) if same and ranges is not None else None
        found.append(None if ranges is None or first is None else Split(first.dim, ranges))
    return tuple(found)
