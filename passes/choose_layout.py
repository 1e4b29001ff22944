"""choose_layout: how the values of a graph are split over a grid of ranks.

Forward, from the parameters: a value is split as what it is made of is, along the axes that the operation's `access`
carries over, so that views keep their array's owners at an offset. Large values of nothing else are split evenly.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lazyarr.cost_model import DEFAULT, CostModel
from lazyarr.ir.access import Along, Reduced
from lazyarr.ir.extents import is_static
from lazyarr.ir.graph import Graph
from lazyarr.ir.layout import Grid, Layout, Split, default, even, is_whole, length, owned, whole
from lazyarr.ir.node import Node, Value
from lazyarr.ir.op import Line
from lazyarr.ops.comm import COMBINES
from lazyarr.ops.reduce import WITH_IDENTITY
from lazyarr.ops.window import PUT_WINDOW, WINDOW
from lazyarr.passes.indexed_axes import Axes, indexed_axes, layout_beside

#: Operations that run graphs, and where the operands of these begin: of a loop's body the first parameter is the index.
REGIONS = {"loop": 3, "while": 0, "cond": 1}


#: Operations that give their first operand with something written into it.
_WRITES = frozenset(("update_slice", "dynamic_update_slice", "scatter", "ordered_scatter"))

#: Boxes at places that data says.
_BOXES = frozenset((WINDOW.name, PUT_WINDOW.name))

#: In a loop, values that are made of small arrays are split where going through them takes as long as so many messages.
_MESSAGES = 10

#: More elements than any array has.
NEVER = 1 << 62


@dataclass(frozen=True)
class Crossed:
    """A split line that a node goes along.

    Attributes
    ----------
    line : Line
    operands : tuple of Split or None
        Of each operand, how its axis is split: as the first one is that is split, or evenly if its extent is another.
    result : Split
        And of the result, if that has one.
    """

    line: Line
    operands: tuple[Split | None, ...]
    result: Split


#: A result stays in a parameter's layout where its own is moved by no more than this part of a block.
_NEAR = 4


@dataclass
class Layouts:
    """The layouts of a graph's values, and of the graphs in its nodes.

    Attributes
    ----------
    replicated : set of Node
        Loops and branches that every rank runs as a whole.
    deep : dict of Node to int
        Loops of so many iterations, on more than their rank's part, for which arrays are exchanged beforehand.
    of : dict of Value to Layout
    inner : dict of (Node, str) to Layouts
        Of graphs among a node's attributes, by the attribute's name.
    reduced : dict of Node to tuple of int
        Dimensions of the grid over which a node's results are partial.
    partial : bool
        Whether they stay so: the graph is of a loop of several iterations, and is combined after it (`COMBINED`).
    across : dict of Node to Crossed
        What a node puts its results together along (`Op.across`).
    rearranged : set of Node
        Those whose results get their elements from the owners of the operand's (`Op.rearranged`).
    model : CostModel
    inside : bool
        Whether the graph is that of a loop or branch.
    little : set of Node
        Those whose large results are made of small arrays: any rank can compute all of them.
    indexed : dict of Value to set of int
        Axes along which arrays are taken one index after another.
    """

    grid: Grid
    least: int
    replicated: frozenset[Node] = frozenset()
    deep: Mapping[Node, int] = field(default_factory=dict)
    of: dict[Value, Layout] = field(default_factory=dict)
    inner: dict[tuple[Node, str], Layouts] = field(default_factory=dict)
    reduced: dict[Node, tuple[int, ...]] = field(default_factory=dict)
    across: dict[Node, Crossed] = field(default_factory=dict)
    rearranged: set[Node] = field(default_factory=set)
    model: CostModel = DEFAULT
    inside: bool = False
    little: set[Node] = field(default_factory=set)
    partial: bool = False
    indexed: Axes = field(default_factory=dict)

    def large(self, value: Value) -> bool:
        """Whether a value is worth being split."""
        type = value.type
        return is_static(type.shape) and type.size >= self.least


def choose_layout(
    graph: Graph, grid: Grid, least: int, given: Mapping[Value, Layout] | None = None,
    replicated: frozenset[Node] = frozenset(), deep: Mapping[Node, int] | None = None, model: CostModel = DEFAULT,
    inside: bool = False,
) -> Layouts:  # fmt: skip
    """Layouts for all values of a graph.

    Parameters
    ----------
    graph : Graph
    grid : tuple of int
        Ranks along each dimension.
    least : int
        Values of fewer elements are not split.
    given : mapping of Value to Layout, optional
        Those of parameters; others are split evenly if they are large.
    replicated : set of Node
        Loops and branches of which nothing is to be split.
    deep : dict of Node to int, optional
        Loops of so many iterations for one exchange.
    model : CostModel
        What operations are decided by that can be done in several ways.
    inside : bool
        Whether the graph is that of a loop or branch.
    """
    found = Layouts(grid, least, replicated, deep or {}, model=model, inside=inside)
    if not inside:
        found.indexed = indexed_axes(graph)
    for value in graph.params:
        layout = (given or {}).get(value)
        found.of[value] = _default(found, value) if layout is None else layout
    kept = {} if inside else _kept(found, graph)
    unlike: set[Node] = set()
    for node in graph.nodes:
        _choose(found, node)
        if kept and _is_of_unlike(found, node, unlike):
            unlike.add(node)
        for value in node.values:
            if value in kept:
                evenly = [_default(found, value)] if node in unlike else []
                found.of[value] = _as_before(found, value, kept[value] or evenly)
    return found


def _kept(layouts: Layouts, graph: Graph) -> dict[Value, list[Layout]]:
    """For results of a program, the layouts of parameters that they may be in the place of: those of their shape.

    (None, where a state comes from another program than the one that it goes to: a border is laid around it there.)
    """
    shapes: dict[Any, list[Layout]] = {}
    for value in graph.params:
        if not is_whole(layouts.of[value]):
            shapes.setdefault(value.type.shape, []).append(layouts.of[value])
    return {value: shapes.get(value.type.shape, []) for value in graph.results}


def _is_of_unlike(layouts: Layouts, node: Node, unlike: set[Node]) -> bool:
    """Whether a node is made, element by element, of arrays of its shape that are split unlike, or of what is.

    Each way is as good for it, but for what is made of that in turn.
    """
    if not node.op.pointwise:
        return False
    same = [v for v in node.operands if v.type.shape == node.types[0].shape]
    return any(v.node in unlike for v in same) or len({s for v in same if not is_whole(s := layouts.of[v])}) > 1


def _as_before(layouts: Layouts, value: Value, before: Sequence[Layout]) -> Layout:
    """The layout of a result: that of a parameter of its shape, if its own is that but for some indices.

    ``u = np.roll(u, 1) + np.roll(u, -1)`` would have its parts an index further on at each step: each would be another
    program, and in the end one rank would have all.
    """
    node, own = value.node, layouts.of[value]
    special = node.op.name in REGIONS or node in layouts.across or node in layouts.rearranged or node in layouts.little
    if special or own in before or not can_be_split(node):
        return own
    return next((layout for layout in before if _is_near(own, layout)), own)


def _is_near(own: Layout, other: Layout) -> bool:
    """Whether the same axes are split along the same dimensions, and nobody has more than a lesser part of others'."""
    for a, b in zip(own, other, strict=True):
        if (a is None) != (b is None) or (a is not None and b is not None and a.dim != b.dim):
            return False
        if a is not None and b is not None:
            moved = max(abs(x - y) for p, q in zip(a.ranges, b.ranges, strict=True) for x, y in zip(p, q, strict=True))
            if moved * _NEAR > min(map(length, b.ranges)):
                return False
    return True


def _default(layouts: Layouts, value: Value) -> Layout:
    shape = value.type.shape
    if not layouts.large(value):
        return whole(len(shape))
    axes = layouts.indexed.get(value)
    return default(shape, layouts.grid) if axes is None else layout_beside(shape, layouts.grid, axes)


def _choose(layouts: Layouts, node: Node) -> None:
    if node.op.name in REGIONS:
        chosen = _region(layouts, node)
    elif not all(is_static(v.type.shape) for v in (*node.operands, *node.values)):
        chosen = [whole(len(t.shape)) for t in node.types]
    elif node.op.memory == "free":
        chosen = [_default(layouts, v) for v in node.values]
    elif (rearranged := _rearranged(layouts, node)) is not None:
        layouts.rearranged.add(node)
        chosen = [rearranged]
    elif can_be_split(node):
        chosen = [_carried_over(layouts, node)]
        if not any(v.type.shape for v in node.operands):
            # (Of one number, as `full`.)
            chosen = [_default(layouts, node.values[0])]
        elif _is_made_of_little(layouts, node, chosen[0]):
            layouts.little.add(node)
            if is_whole(chosen[0]):
                evenly = _default(layouts, node.values[0])
                chosen = [tuple(s if _is_cut(node, axis) else None for axis, s in enumerate(evenly))]
    else:
        chosen = [whole(len(t.shape)) for t in node.types]
        across = _across(layouts, node, set(), chosen[0])
        if across is not None:
            layouts.across[node] = across
            chosen[0] = tuple(across.result if k == across.line.result else None for k in range(len(chosen[0])))
    for value, layout in zip(node.values, chosen, strict=True):
        layouts.of[value] = layout


def _is_made_of_little(layouts: Layouts, node: Node, carried: Layout) -> bool:
    """Whether a large value can be split because it is made of small arrays, which every rank has, or of such values.

    (In a loop only where the work of an iteration is many times as long as a message.)
    """
    value = node.values[0]
    if node in layouts.reduced or node in layouts.across:
        return False
    if not is_whole(carried):
        return node.op.pointwise and all(is_whole(layouts.of[v]) or v.node in layouts.little for v in node.operands)
    if not layouts.large(value) or any(layouts.large(v) for v in node.operands):
        return False
    model = layouts.model
    return not layouts.inside or model.worked(0, 0, value.type.nbytes) >= _MESSAGES * model.latency


def _is_cut(node: Node, axis: int) -> bool:
    """Whether part of the result along an axis can be computed: the same operation needs parts of an operand for it."""
    return node.op.part != "same" or any(
        isinstance(e, Along) and e.axis == axis for entries in node.access for e in entries
    )


def can_be_split(node: Node) -> bool:
    """Whether a part of the result can be computed from parts of the operands."""
    return len(node.types) == 1 and (node.op.pointwise or node.op.part is not None)


def _carried_over(layouts: Layouts, node: Node) -> Layout:
    """The layout that the operands' layouts give the result, the largest operand's first."""
    shape = node.types[0].shape
    found: list[Split | None] = [None] * len(shape)
    used: set[int] = set()
    access = node.access
    # (Of operands that are as large, one that is read at the result's own indices says best whose they are.)
    order = sorted(range(len(access)), key=lambda k: (-node.operands[k].type.size, _moves(access[k])))
    for k in order:
        for entry, split in zip(access[k], layouts.of[node.operands[k]], strict=True):
            if split is None or not isinstance(entry, Along) or split.dim in used or found[entry.axis] is not None:
                continue
            if node.op is PUT_WINDOW and node.kw["dims"][entry.axis][0] != "all":
                continue  # (Data says whose the indices are.)
            ranges = owned(entry, split.ranges, shape[entry.axis])
            if ranges is not None:
                found[entry.axis] = Split(split.dim, ranges)
                used.add(split.dim)
    across = _across(layouts, node, used, found)
    if across is not None:
        layouts.across[node] = across
        if across.line.result is not None:
            found[across.line.result] = across.result
    summed = _partial(layouts, node, used)
    if summed:
        layouts.reduced[node] = summed
    return tuple(found)


def _rearranged(layouts: Layouts, node: Node) -> Layout | None:
    """How a result is split whose elements are moved, because axes of the operand that are split do not stay."""
    if node.op.rearranged is None or node.types[0].size == 0:
        return None
    x = node.operands[0]
    splits, entries = layouts.of[x], node.access[0]
    if all(s is None or isinstance(e, Along) for s, e in zip(splits, entries, strict=True)):
        return None
    # (What has been written into as another shape of an array, and takes its shape again, goes where that is.)
    base = x
    while base.node.op.name in _WRITES:
        base = base.node.operands[0]
    if base.node.op is node.op and base.node.operands[0].type.shape == node.types[0].shape:
        found = layouts.of[base.node.operands[0]]
    else:
        found = node.op.rearranged(x.type, splits, layouts.large(node.values[0]), **node.kw)
    return None if is_whole(found) else found


def _across(layouts: Layouts, node: Node, used: set[int], found: Sequence[Split | None]) -> Crossed | None:
    """The split line that a node goes along, if results can be put together along it."""
    if node.op.across is None:
        return None
    splits: list[tuple[Line, Split]] = []
    cut = [[s is not None for s in layouts.of[v]] for v in node.operands]
    for line in node.op.across.lines(*[v.type for v in node.operands], cut=cut, **node.kw):
        axes = [(v, axis) for v, axis in zip(node.operands, line.operands, strict=True) if axis is not None]
        split = next((s for v, axis in axes if (s := layouts.of[v][axis]) is not None), None)
        if split is not None:
            splits.append((line, split))
    if len(splits) != 1:
        return None
    line, split = splits[0]
    there = None if line.result is None else found[line.result]
    if (split.dim in used and (there is None or there.dim != split.dim)) or any(length(r) == 0 for r in split.ranges):
        return None
    if any(a[1] > b[0] for a, b in itertools.pairwise(split.ranges)):
        return None  # of an array that has been turned round
    # (What every rank can make by itself nobody has to send.)
    worth, types = node.op.across.worth, [v.type for v in node.operands]
    if worth is not None and not worth(*types, ranges=split.ranges, costs=layouts.model, **node.kw):
        along = zip(node.operands, line.operands, strict=True)
        if all(v.node in layouts.little for v, axis in along if axis is not None and layouts.of[v][axis] is not None):
            return None
    result = split if line.result is None else _alike(split, node.types[0].shape[line.result])
    operands = tuple(
        None if axis is None else _rounded(_alike(split, v.type.shape[axis]), line.multiple)
        for v, axis in zip(node.operands, line.operands, strict=True)
    )
    return Crossed(line, operands, result)


def _alike(split: Split, extent: int) -> Split:
    """How an axis of some extent is split beside another."""
    return split if extent == split.ranges[-1][1] else Split(split.dim, even(extent, len(split.ranges)))


def _rounded(split: Split, multiple: int) -> Split:
    """The same pieces, from the nearest multiples on."""
    if multiple == 1:
        return split
    extent = split.ranges[-1][1]
    cuts = [min((a + multiple // 2) // multiple * multiple, extent) for a, _ in split.ranges[1:]]
    return Split(split.dim, tuple(itertools.pairwise((0, *cuts, extent))))


def _moves(entries: Sequence[object]) -> int:
    return sum(isinstance(e, Along) and not e.lo == e.hi == 0 for e in entries)


def contracted(node: Node) -> list[tuple[int, int]]:
    """Operands and axes that are combined, if these are pieces of the same indices: one axis of each, or of one.

    (Where an operation has lines of its own, these say it.)
    """
    if node.op.across is not None:
        return []
    axes = [
        (k, axis)
        for k, entries in enumerate(node.access)
        for axis, entry in enumerate(entries)
        if isinstance(entry, Reduced) and entry.kind in COMBINES
    ]
    operands = [k for k, _ in axes]
    return axes if len(set(operands)) in (1, len(operands)) else []


def _partial(layouts: Layouts, node: Node, used: set[int]) -> tuple[int, ...]:
    """Dimensions along which only the ranks together have all terms of the result."""
    axes = contracted(node)
    splits = [layouts.of[node.operands[k]][axis] for k, axis in axes]
    several = len({k for k, _ in axes}) > 1
    known = [s for s in splits if s is not None and s.dim not in used]
    if several:
        # (Two operands: one axis of each, in the same pieces.)
        known = known[:1]
    dims = tuple(sorted({s.dim for s in known}))
    for split in known:
        if any(length(r) == 0 for r in split.ranges) and not _has_identity(node):
            return ()
    return dims if len(dims) == len(known) else ()


def _has_identity(node: Node) -> bool:
    kinds = {e.kind for entries in node.access for e in entries if isinstance(e, Reduced)}
    return kinds <= WITH_IDENTITY


def before_operands(node: Node, name: str) -> int:
    """How many parameters a graph of a loop or branch has before those of operands: a loop's body has its index."""
    return int(node.op.name == "loop" and name == "body")


def _region(layouts: Layouts, node: Node) -> list[Layout]:
    """Layouts of what a loop or branch gives: a carried value stays in its layout."""
    first = REGIONS[node.op.name]
    operands = node.operands[first:]
    graphs = {name: graph for name, graph in node.attrs if isinstance(graph, Graph)}
    splits = [layouts.of[v] for v in operands]
    alone = node in layouts.replicated or not all(_is_static(graph) for graph in graphs.values())
    names = {name for graph in graphs.values() for name in _operations(graph)}
    # (Sums in an order of their own beside boxes at data's places are not split together.)
    alone = alone or (not names.isdisjoint(_BOXES) and any(name.startswith("ordered_") for name in names))
    if alone:
        splits = [whole(len(s)) for s in splits]
    found: list[Layout] = []
    for name, graph in graphs.items():
        given = dict(zip(graph.params[before_operands(node, name) :], splits, strict=True))
        least = NEVER if alone else layouts.least
        inner = choose_layout(graph, layouts.grid, least, given, layouts.replicated, layouts.deep, layouts.model,
                              inside=True)  # fmt: skip
        inner.partial = node in layouts.deep
        layouts.inner[node, name] = inner
        if name == "body":
            found = splits[: node.kw["carried"]]
        elif name == "then":
            found = [inner.of[v] for v in graph.results]
    return [whole(len(t.shape)) for t in node.types] if alone else found


def _is_static(graph: Graph) -> bool:
    values = (*graph.params, *(v for node in graph.nodes for v in node.values))
    return all(is_static(v.type.shape) for v in values) and all(
        _is_static(g) for node in graph.nodes for g in node.regions
    )


def _operations(graph: Graph) -> set[str]:
    """The names of the operations of a graph, and of those in it."""
    found = {node.op.name for node in graph.nodes}
    return found.union(*(_operations(g) for node in graph.nodes for g in node.regions))


def splits(layouts: Layouts) -> bool:
    """Whether any value is split."""
    return any(not is_whole(layout) for layout in layouts.of.values())
