"""extend_periodic: loops over arrays that go round (`np.roll`, `np.pad(mode="wrap")`), on arrays with a border instead.

``u = f(roll(u, 1), u) -> e = pad(u); e[:d] = e[n:n+d]; ...; e[1:] = f(e[:-1], e[1:]); u = e[d:n+d]``. What an array
holds along such an axis is taken for a sequence of period `n`; a body that moves these sequences, and computes element
by element, does so beyond both ends too. So an iteration makes a few indices at the ends worthless, and several need
nothing from the other end: they are deepened as loops are that are not periodic (`deepen_halos`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lazyarr.ir.access import Along
from lazyarr.ir.graph import Check, Graph, param
from lazyarr.ir.layout import Layout
from lazyarr.ir.node import Node, Value, apply, make
from lazyarr.ops.create import const
from lazyarr.ops.index import UPDATE_SLICE
from lazyarr.ops.shape import CONCATENATE, PAD, SLICE
from lazyarr.passes.choose_layout import Layouts

#: First index and the one after the last, for each dimension of the grid; indices may be negative.
Window = dict[int, tuple[int, int]]
#: Operations that keep an axis' indices, and whose attributes do not name its extent.
_KEEPING = {"reduce", "transpose", "concatenate", "pad"}


@dataclass
class Periodic:
    """The body of a loop as one on sequences: which axes go round, and how each value is made of others.

    Attributes
    ----------
    graph : Graph
    lines : dict of Value to dict
        For each value the axes that go round, and their dimensions of the grid.
    moves : dict of Node to list
        For each operand how much further on it is read, by dimension; a value of other operands is read instead of
        `concatenate`'s.
    periods : dict of int to int
        By dimension.
    reach : dict of int to (int, int)
        By dimension: how far below and above itself an iteration's result depends on the one before.
    """

    graph: Graph
    carried: int
    lines: dict[Value, dict[int, int]] = field(default_factory=dict)
    moves: dict[Node, list[tuple[Value, dict[int, int]]]] = field(default_factory=dict)
    periods: dict[int, int] = field(default_factory=dict)
    reach: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def arrays(self) -> dict[int, dict[int, int]]:
        """The lines of what is carried and of constants, by number, where there are any."""
        params = self.graph.params[1:]
        return {k: self.lines[p] for k, p in enumerate(params) if self.lines[p]}


def find(graph: Graph, carried: int, layouts: Layouts) -> Periodic | None:
    """The body as one on sequences along as many dimensions of the grid as can be, if it can."""
    dims = sorted({s.dim for p in graph.params for s in layouts.of[p] if s is not None})
    for some in (dims, *([dim] for dim in dims if len(dims) > 1)):
        found = _along(graph, carried, layouts, frozenset(some))
        if found is not None and any(any(reach) for reach in found.reach.values()):
            return found
    return None


def _along(graph: Graph, carried: int, layouts: Layouts, dims: frozenset[int]) -> Periodic | None:
    found = Periodic(graph, carried)
    for value in graph.params:
        found.lines[value] = _lines(layouts.of[value], dims)
        for axis, dim in found.lines[value].items():
            if found.periods.setdefault(dim, value.type.shape[axis]) != value.type.shape[axis]:
                return None
    if not found.periods:
        return None
    for node in graph.nodes:
        if any(True for _ in node.regions):
            return None
        for value in node.values:
            found.lines[value] = _lines(layouts.of[value], dims)
        moves = _moves(found, node)
        if moves is None:
            return None
        found.moves[node] = moves
    for old, new in zip(graph.params[1:], graph.results, strict=False):
        if found.lines[old] != found.lines[new]:
            return None
    once = {dim: (0, n) for dim, n in found.periods.items()}
    needs = _needs(found, once)
    for dim, n in found.periods.items():
        windows = [needs[p][dim] for p in graph.params if dim in needs.get(p, {})]
        if not windows:
            return None  # of arrays that nothing is made of
        low, high = min(a for a, _ in windows), max(b for _, b in windows)
        found.reach[dim] = max(0, -low), max(0, high - n)
    return found


def _lines(layout: Layout, dims: frozenset[int]) -> dict[int, int]:
    return {axis: split.dim for axis, split in enumerate(layout) if split is not None and split.dim in dims}


def _moves(found: Periodic, node: Node) -> list[tuple[Value, dict[int, int]]] | None:
    """How much further on each operand is read; None where it is not the same everywhere."""
    lines = found.lines[node.values[0]]
    name = node.op.name
    here = [found.lines[v] for v in node.operands]
    if not lines:
        # Numbers, and small arrays: of others', the period itself is combined.
        whole = all(_is_period(found, v) for v, own in zip(node.operands, here, strict=True) if own)
        return [(v, {}) for v in node.operands] if whole and (name == "reduce" or not any(here)) else None
    if len(node.types) != 1 or any(not isinstance(n, int) for n in node.types[0].shape):
        return None
    if name == "concatenate" and node.kw["axis"] in lines:
        return _joined(found, node)
    moves: list[tuple[Value, dict[int, int]]] = []
    for value, own, access in zip(node.operands, here, node.access, strict=True):
        move: dict[int, int] = {}
        for axis, entry in enumerate(access):
            along = isinstance(entry, Along) and entry.axis in lines
            if along != (axis in own):
                return None
            if along:
                assert isinstance(entry, Along)
                if entry.lo != entry.hi or entry.step != 1 or lines[entry.axis] != own[axis]:
                    return None
                move[own[axis]] = entry.lo
        moves.append((value, move))
    if name == "slice" or node.op.pointwise:
        return moves
    if any(moved for _, move in moves for moved in move.values()):
        return None
    if name in ("broadcast", "reshape", "full", *_KEEPING):
        return moves
    if name == "update_slice":
        every = all(
            node.kw["start"][axis] == 0 and node.kw["stop"][axis] == node.types[0].shape[axis] for axis in lines
        )
        return moves if every else None
    return None


def _is_period(found: Periodic, value: Value) -> bool:
    return all(value.type.shape[axis] == found.periods[dim] for axis, dim in found.lines[value].items())


def _joined(found: Periodic, node: Node) -> list[tuple[Value, dict[int, int]]] | None:
    """Pieces of one array that follow one another, round its end: that array, so much further on."""
    axis = node.kw["axis"]
    base: Value | None = None
    first = following = 0
    for k, value in enumerate(node.operands):
        start, length = 0, value.type.shape[axis]
        piece = value.node
        if piece.op.name == "slice" and (base is None or value != base) and _cuts_only(piece, axis):
            start, value = piece.kw["start"][axis], piece.operands[0]
        lines = found.lines[value]
        if lines != found.lines[node.values[0]] or value.type.shape[axis] != found.periods[lines[axis]]:
            return None
        if k == 0:
            base, first, following = value, start, start
        if value != base or (start - following) % found.periods[lines[axis]]:
            return None
        following += length
    assert base is not None
    n = found.periods[found.lines[base][axis]]
    first = (first + n // 2) % n - n // 2  # (What is nearest, of all that are the same.)
    return [(base, {dim: first if at == axis else 0 for at, dim in found.lines[base].items()})]


def _cuts_only(node: Node, axis: int) -> bool:
    """Whether a slice leaves other axes as they are."""
    shape = node.operands[0].type.shape
    return all(s == 1 for s in node.kw["step"]) and all(
        k == axis or (node.kw["start"][k] == 0 and node.kw["stop"][k] == n) for k, n in enumerate(shape)
    )


def _needs(found: Periodic, results: Window) -> dict[Value, Window]:
    """The windows that are wanted of each value, if `results` are of the new carried values."""
    needs: dict[Value, Window] = {}

    def want(value: Value, window: Window) -> None:
        known = needs.setdefault(value, {})
        for dim, (a, b) in window.items():
            low, high = known.get(dim, (a, b))
            known[dim] = min(a, low), max(b, high)

    for value in found.graph.results:
        want(value, {dim: results[dim] for dim in found.lines[value].values()})
    for check in found.graph.checks:
        want(check.ok, {})
    for node in reversed(found.graph.nodes):
        if not any(v in needs for v in node.values):
            continue
        for value, move in found.moves[node]:
            if not found.lines[node.values[0]]:
                # (A reduction: of what the array has, once round.)
                want(value, {dim: (0, found.periods[dim]) for dim in found.lines[value].values()})
            else:
                own = needs[node.values[0]]
                want(value, {dim: (own[dim][0] + n, own[dim][1] + n) for dim, n in move.items()})
    return needs


@dataclass(frozen=True)
class Extended:
    """A body on arrays with borders, and what makes these arrays.

    Attributes
    ----------
    borders : dict of int to (int, int)
        By dimension of the grid: indices below and above.
    """

    periodic: Periodic
    borders: Mapping[int, tuple[int, int]]

    @staticmethod
    def by(periodic: Periodic, depth: int) -> Extended:
        """With borders for so many iterations."""
        return Extended(periodic, {dim: (depth * a, depth * b) for dim, (a, b) in periodic.reach.items()})

    def extended(self, number: int, value: Value, wrapped: bool) -> Value:
        """An array with its borders: what it has at its other end, or nothing yet."""
        if not wrapped:
            low, high = [0] * value.type.ndim, [0] * value.type.ndim
            for axis, dim in self.periodic.arrays.get(number, {}).items():
                low[axis], high[axis] = self.borders[dim]
            if not any((*low, *high)):
                return value
            return apply(PAD, value, const(0, value.type.dtype), low=tuple(low), high=tuple(high))
        for axis, dim in self.periodic.arrays.get(number, {}).items():
            below, above = self.borders[dim]
            n = value.type.shape[axis]
            parts = [_cut(value, axis, n - below, n)] if below else []
            parts += [value, *([_cut(value, axis, 0, above)] if above else [])]
            value = apply(CONCATENATE, *parts, axis=axis) if len(parts) > 1 else value
        return value

    def refreshed(self, number: int, value: Value) -> Value:
        """The array with borders that are what its other end is now."""
        for axis, dim in self.periodic.arrays.get(number, {}).items():
            below, above = self.borders[dim]
            n = self.periodic.periods[dim]
            # (Both from the array as it is: one exchange brings them.)
            first, last = _cut(value, axis, n, n + below), _cut(value, axis, below, below + above)
            if below:
                value = _written(value, first, axis, 0, below)
            if above:
                value = _written(value, last, axis, below + n, below + n + above)
        return value

    def own(self, number: int, value: Value) -> Value:
        """The array without its borders."""
        for axis, dim in self.periodic.arrays.get(number, {}).items():
            below, _ = self.borders[dim]
            value = _cut(value, axis, below, below + self.periodic.periods[dim])
        return value

    def body(self) -> Graph:
        """The body on such arrays: what it makes of their ends is worthless."""
        found, graph = self.periodic, self.periodic.graph
        box = {dim: (-self.borders[dim][0], n + self.borders[dim][1]) for dim, n in found.periods.items()}
        kept = {dim: (a + found.reach[dim][0], b - found.reach[dim][1]) for dim, (a, b) in box.items()}
        needs = _needs(found, kept)
        have: dict[Value, tuple[Value, Window]] = {}
        params = []
        for k, value in enumerate(graph.params):
            shape = list(value.type.shape)
            for axis, dim in found.lines[value].items():
                shape[axis] = box[dim][1] - box[dim][0]
            params.append(param(k, value.type.with_shape(tuple(shape)) if value.type.shape else value.type))
            have[value] = params[-1], {dim: box[dim] for dim in found.lines[value].values()}

        def part(value: Value, window: Window) -> Value:
            local, held = have[value]
            for axis, dim in found.lines[value].items():
                (a, b), (low, high) = window[dim], held[dim]
                if (a, b) != (low, high):
                    local = _cut(local, axis, a - low, b - low)
            return local

        for node in graph.nodes:
            if not any(v in needs for v in node.values):
                continue
            value = node.values[0]
            lines, window = found.lines[value], needs.get(value, {})
            operands = []
            for operand, move in found.moves[node]:
                own = found.lines[operand]
                if lines:
                    wanted = {dim: (window[dim][0] + move[dim], window[dim][1] + move[dim]) for dim in own.values()}
                else:
                    wanted = {dim: (0, found.periods[dim]) for dim in own.values()}
                operands.append(part(operand, wanted))
            if not lines:
                made = make(node.op, tuple(operands), node.attrs)
                made.lines |= node.lines
                have.update((v, (w, {})) for v, w in zip(node.values, made.values, strict=True))
                continue
            have[value] = _again(node, operands, lines, window), window
        results = []
        for k, value in enumerate(graph.results):
            base = graph.params[1 + k]
            if value in graph.params or not found.lines[value]:
                results.append(have[value][0])
                continue
            results.append(_put(have[self._base(k, base)][0], part(value, kept), found.lines[value], box, kept))
        checks = [Check(have[c.ok][0], c.exception, c.message) for c in graph.checks]
        return Graph(params, results, checks)

    def _base(self, k: int, own: Value) -> Value:
        """The array that a new one is written into: one that nobody wants any more, if there is one."""
        graph, found = self.periodic.graph, self.periodic
        carried = graph.params[1 : 1 + found.carried]
        if own in graph.results:
            for other in carried:
                if other.type == own.type and found.lines[other] == found.lines[own] and other not in graph.results:
                    new = graph.results[carried.index(other)]
                    if new in carried:
                        return other
        return own


def _again(node: Node, operands: Sequence[Value], lines: Mapping[int, int], window: Window) -> Value:
    """A node for other windows along its lines."""
    shape = list(node.types[0].shape)
    for axis, dim in lines.items():
        shape[axis] = window[dim][1] - window[dim][0]
    attrs = dict(node.attrs)
    name = node.op.name
    if name == "concatenate" and node.kw["axis"] in lines:
        return operands[0]
    if name in ("broadcast", "reshape", "full"):
        attrs["shape"] = tuple(shape)
    elif name in ("slice", "update_slice"):
        start, stop = list(attrs["start"]), list(attrs["stop"])
        for axis in lines:
            start[axis], stop[axis] = 0, shape[axis]
        attrs["start"], attrs["stop"] = tuple(start), tuple(stop)
    made = make(node.op, tuple(operands), tuple(sorted(attrs.items())))
    made.lines |= node.lines
    return Value(made, 0)


def _put(base: Value, new: Value, lines: Mapping[int, int], box: Window, kept: Window) -> Value:
    if all(box[dim] == kept[dim] for dim in lines.values()):
        return new
    start, stop = [0] * base.type.ndim, list(base.type.shape)
    for axis, dim in lines.items():
        start[axis], stop[axis] = kept[dim][0] - box[dim][0], kept[dim][1] - box[dim][0]
    return apply(UPDATE_SLICE, base, new, start=tuple(start), stop=tuple(stop), step=(1,) * base.type.ndim)


def _cut(value: Value, axis: int, start: int, stop: int) -> Value:
    first, last = [0] * value.type.ndim, list(value.type.shape)
    if (start, stop) == (0, last[axis]):
        return value
    first[axis], last[axis] = start, stop
    return apply(SLICE, value, start=tuple(first), stop=tuple(last), step=(1,) * len(first))


def _written(base: Value, new: Value, axis: int, start: int, stop: int) -> Value:
    first, last = [0] * base.type.ndim, list(base.type.shape)
    first[axis], last[axis] = start, stop
    return apply(UPDATE_SLICE, base, new, start=tuple(first), stop=tuple(last), step=(1,) * len(first))
