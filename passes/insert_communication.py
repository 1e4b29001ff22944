"""insert_communication: one rank's program of a graph whose values are split, its communication written out.

Exchanges bring what a rank wants of an axis and does not compute, reductions over a split axis are combined. Each takes
a token from the one before it: every rank communicates in one order, and leaves nothing out.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lazyarr.cost_model import DEFAULT, CostModel
from lazyarr.ir.access import Reduced
from lazyarr.ir.extents import is_static
from lazyarr.ir.flat import stays
from lazyarr.ir.graph import Check, Graph, Line, Program, param
from lazyarr.ir.layout import Layout, Need, Range, Ranges, Split, even, hull, hulls, length, place
from lazyarr.ir.node import Node, Value, apply, apply_all, make
from lazyarr.ir.op import Op, lookup
from lazyarr.ops.block_lapack import CHOLESKY_PART, DETERMINED_PART, SOLVED_PART
from lazyarr.ops.by_index import PICKED_PART, SCATTERED_PART
from lazyarr.ops.comm import ALL_REDUCE, COMBINED, EXCHANGE, HALO, SORTED_PART, TURNED_PART, sides
from lazyarr.ops.create import const
from lazyarr.ops.index import UPDATE_SLICE
from lazyarr.ops.rearrange import REARRANGED_PART, as_splits
from lazyarr.ops.shape import CONCATENATE, PAD, ROLL, SLICE
from lazyarr.passes.choose_layout import REGIONS, Crossed, Layouts, before_operands, can_be_split, choose_layout
from lazyarr.passes.choose_ranges import Wanted, all_of, beside, choose_ranges, costly, exchanging, within
from lazyarr.passes.deepen_halos import deepen_halos, depths
from lazyarr.passes.in_parts import in_parts
from lazyarr.passes.merge_messages import Messages, merge_messages

Place = tuple[Range, ...]


@dataclass(frozen=True)
class Local:
    """One rank's program.

    Attributes
    ----------
    program : Program
        Its parameters: of those that are split a rank's part, of others the whole. Its results, and a token if it
        communicates.
    results : tuple of Layout
        Of the program's results.
    communicates : bool
    """

    program: Program
    results: tuple[Layout, ...]
    communicates: bool


@dataclass(frozen=True)
class Decided:
    """What is where and what is exchanged, of a program on a grid: alike for all ranks.

    Attributes
    ----------
    program : Program
        Several iterations of its loops in one where they share an exchange.
    layouts : Layouts
    wanted : Wanted
    given : dict of Value to Layout
        Parameters of which a rank has a part.
    results : tuple of Need
    """

    program: Program
    layouts: Layouts
    wanted: Wanted
    given: Mapping[Value, Layout]
    results: tuple[Need, ...]

    def local(self, at: tuple[int, ...]) -> Local:
        """The program of the rank at a place of the grid."""
        graph = self.program.graph
        token = const(0, _I64)
        origins: dict[Node, frozenset[Line]] = {}
        builder = _Builder(
            graph, self.layouts, self.wanted, at, token, self.program.origins, origins, Messages([])
        )  # fmt: skip
        params = []
        for k, value in enumerate(graph.params):
            held = place(self.given.get(value, all_of(value)), value.type.shape, at)
            mine = param(k, value.type.with_shape(tuple(map(length, held))) if value.type.shape else value.type)
            params.append(mine)
            builder.hold(value, mine, held)
        local = builder.run(self.results)
        checks = builder.checks()
        talks = builder.token != token
        made = Graph(params, [*local, builder.token] if talks else local, checks)
        return Local(merge_messages(Program(made, origins), builder.messages.groups), self.results, talks)


def decide(
    program: Program, grid: tuple[int, ...], least: int, given: Mapping[Value, Layout],
    gathered: Sequence[int] = (), model: CostModel = DEFAULT,
) -> Decided:  # fmt: skip
    """What is where, of a program.

    Parameters
    ----------
    program : Program
    grid : tuple of int
    least : int
        Values of fewer elements are not split.
    given : mapping of Value to Layout
        Parameters of which a rank has a part; it has all of the others.
    gathered : sequence of int
        Results that every rank gets whole.
    model : CostModel
        What decides how many iterations share an exchange; the same on all ranks.
    """
    program = in_parts(program, least)
    found = _decided(program, grid, least, given, gathered, {}, model)
    plans = depths(found.program.graph, found.wanted, model)
    while plans:
        deeper, loops = deepen_halos(program, plans)
        deep = {inner: depth for loop in loops.values() for inner, depth in loop.items()}
        again = _decided(deeper, grid, least, given, gathered, deep, model)
        talking = exchanging(again.wanted)
        left = {node: plan for node, plan in plans.items() if not talking & loops[node].keys()}
        if len(left) == len(plans):
            return again
        plans = left
    return found


def _decided(
    program: Program, grid: tuple[int, ...], least: int, given: Mapping[Value, Layout], gathered: Sequence[int],
    deep: Mapping[Node, int], model: CostModel,
) -> Decided:  # fmt: skip
    graph = program.graph
    replicated: frozenset[Node] = frozenset()
    while True:
        layouts = choose_layout(graph, grid, least, given, replicated, deep, model)
        results = [(None,) * v.type.ndim if k in gathered else layouts.of[v] for k, v in enumerate(graph.results)]
        wanted = choose_ranges(graph, layouts, results, tuple(given))
        more = costly(wanted) - replicated
        if not more:
            return Decided(program, layouts, wanted, given, tuple(results))
        replicated |= more


def insert_communication(
    program: Program, grid: tuple[int, ...], at: tuple[int, ...], least: int, given: Mapping[Value, Layout],
    gathered: Sequence[int] = (), model: CostModel = DEFAULT,
) -> Local:  # fmt: skip
    """The program of the rank at a place of the grid: see `decide`."""
    return decide(program, grid, least, given, gathered, model).local(at)


_I64 = const(0).type.dtype


def _as_roll(made: Node) -> Value | None:
    """``concatenate(x[n-k:], x[:n-k]) -> roll(x, k)``, along an axis of which a rank has all."""
    axis = made.kw["axis"]
    if len(made.operands) != 2 or not all(v.node.op is SLICE for v in made.operands):
        return None
    last, first, x = *(v.node for v in made.operands), made.operands[1].node.operands[0]
    if last.operands != first.operands or made.types[0] != x.type or {*first.kw["step"], *last.kw["step"]} != {1}:
        return None
    shift, n = last.types[0].shape[axis], x.type.shape[axis]
    if (first.kw["start"][axis], last.kw["start"][axis], last.kw["stop"][axis]) != (0, n - shift, n):
        return None
    return apply(ROLL, x, axis=axis, shift=shift)


class _Builder:
    """One rank's form of a graph."""

    def __init__(self, graph: Graph, layouts: Layouts, wanted: Wanted, at: tuple[int, ...], token: Value,
                 origins: Mapping[Node, frozenset[Line]], made: dict[Node, frozenset[Line]], messages: Messages
                 ):  # fmt: skip
        self.graph, self.layouts, self.wanted, self.at, self.token = graph, layouts, wanted, at, token
        self._origins, self._made, self.messages = origins, made, messages
        self._at: Node = token.node
        self._held: dict[Value, tuple[Value, tuple[Range, ...]]] = {}
        self._exchanged: dict[tuple[Value, tuple[Ranges | None, ...]], tuple[Value, tuple[Range, ...]]] = {}

    def hold(self, value: Value, local: Value, ranges: tuple[Range, ...]) -> None:
        """`local` is what this rank has of `value`."""
        self._held[value] = local, ranges

    def run(self, results: Sequence[Need], rooms: Sequence[Place] = ()) -> list[Value]:
        """The nodes; gives what is wanted of the results, the first ones in the room that they have."""
        for node in self.graph.nodes:
            if any(v in self.wanted.computed for v in node.values):
                self._at = node
                for value, (local, ranges) in zip(node.values, self._node(node), strict=True):
                    self.hold(value, local, ranges)
                    self._credit(node, local)
                self.messages.read(node)
        found = []
        for k, (value, need) in enumerate(zip(self.graph.results, results, strict=True)):
            self._at = value.node
            local = self.fetch(value, need)
            if k < len(rooms) and value.type.shape and is_static(value.type.shape):
                mine = self.place(need, value.type.shape)
                whole, held = self._held[value]
                # (What has the room already is left where it is.)
                local = whole if held == rooms[k] and value in self.wanted.stored else self._room(local, mine, rooms[k])
            found.append(local)
        return found

    def checks(self) -> list[Check]:
        return [Check(self.fetch(c.ok, all_of(c.ok)), c.exception, c.message) for c in self.graph.checks]

    def _credit(self, node: Node, local: Value) -> None:
        # (Nodes in loops and branches say it themselves.)
        lines = self._origins.get(node) or node.lines
        if lines and local.node.op.name != "param":
            self._made[local.node] = self._made.get(local.node, frozenset()) | lines

    # --- what is read

    def place(self, need: Need, shape: Sequence[int]) -> tuple[Range, ...]:
        """What this rank has where `need` is what positions have."""
        return place(need, shape, self.at)

    def fetch(self, value: Value, need: Need) -> Value:
        """What this rank wants of a value."""
        if value in self.wanted.stored:
            self._refresh(value)
        local, held = self._held[value]
        if not value.type.shape or not is_static(value.type.shape):
            return local
        wanted = self.place(need, value.type.shape)
        # (Whether anything is exchanged must not depend on the rank.)
        brought: list[Ranges | None] = [
            None if within(n, h) else self._brought(value, axis, n)
            for axis, (n, h) in enumerate(zip(need, self.wanted.computed[value], strict=True))
        ]
        if any(b is not None for b in brought) and not self._is_there(value, brought):
            local, held = self._exchange(value, tuple(brought))
        return self._part(local, held, wanted)

    def _refresh(self, value: Value) -> None:
        """Get what an array has room for before anything is read of it: nobody then reads it as it was before."""
        rank = value.type.ndim
        for axis in range(rank):
            group = self._roomy(value, axis)
            if group is not None:
                brought = (*(None,) * axis, group, *(None,) * (rank - axis - 1))
                if (value, brought) not in self._exchanged:
                    self._exchange(value, brought)

    def _roomy(self, value: Value, axis: int) -> Ranges | None:
        """What an array has room for beside what is this rank's, and gets before it is read."""
        split, groups = self.layouts.of[value][axis], self.wanted.groups.get((value, axis))
        return groups[0] if split is not None and groups and beside(split.ranges, groups[0]) else None

    def _is_there(self, value: Value, brought: Sequence[Ranges | None]) -> bool:
        """Whether an array's room has what is wanted; corners come with what comes along the last axis."""
        if value not in self.wanted.stored:
            return False
        return all(b is None or b == self._roomy(value, axis) for axis, b in enumerate(brought))

    def _brought(self, value: Value, axis: int, need: Split | None) -> Ranges:
        """The ranges of the exchange that brings what is wanted."""
        split = self.layouts.of[value][axis]
        assert split is not None
        if need is not None and need.dim == split.dim:
            for group in self.wanted.groups.get((value, axis), ()):
                if within(need, Split(split.dim, group)):
                    return group
        return ((0, value.type.shape[axis]),) * len(split.ranges)

    def _exchange(self, value: Value, brought: tuple[Ranges | None, ...]) -> tuple[Value, tuple[Range, ...]]:
        found = self._exchanged.get((value, brought))
        if found is not None:
            return found
        axis = max(k for k, b in enumerate(brought) if b is not None)
        before = (*brought[:axis], None, *brought[axis + 1 :])
        local, held = self._exchange(value, before) if any(b is not None for b in before) else self._held[value]
        want, split = brought[axis], self.layouts.of[value][axis]
        assert want is not None
        assert split is not None
        at = self.at[split.dim]
        little = beside(split.ranges, want)
        if little:
            want = hulls(want, split.ranges)
        base = held[axis][0]
        if little:
            token = self.token
            new = self.communicate(HALO, local, at=at, dim=split.dim, parts=((axis, base, split.ranges, want),))
            self.messages.halo(value, split.dim, token, self.token.node)
        else:
            new = self.communicate(EXCHANGE, local, at=at, axis=axis, base=base, dim=split.dim, have=split.ranges,
                                   want=want)  # fmt: skip
        if not little:
            found = new[0], (*held[:axis], want[at], *held[axis + 1 :])
        elif self._has_room(value, local, held[axis], want[at]):
            found = self._held[value] = self._put(local, new, held, axis, split.ranges[at], want[at]), held
        else:
            mine = (*held[:axis], split.ranges[at], *held[axis + 1 :])
            whole = apply(CONCATENATE, new[0], self._part(local, held, mine), new[1], axis=axis)
            found = whole, (*held[:axis], want[at], *held[axis + 1 :])
        self._exchanged[value, brought] = found
        return found

    def _has_room(self, value: Value, local: Value, held: Range, want: Range) -> bool:
        """Whether what has come goes into the array's own memory: not into a part that was made for another reader."""
        return value in self.wanted.stored and self._held[value][0] == local and hull(held, want) == held

    def _put(self, local: Value, new: Sequence[Value], held: Place, axis: int, mine: Range, want: Range) -> Value:
        """Write what has come from others into the room that an array has for it."""
        for part, (start, stop) in zip(new, sides(mine, want), strict=True):
            if start < stop:
                first = [0] * len(held)
                first[axis] = start - held[axis][0]
                last = [a + n for a, n in zip(first, part.type.shape, strict=True)]
                step = (1,) * len(held)
                local = apply(UPDATE_SLICE, local, part, start=tuple(first), stop=tuple(last), step=step)
        return local

    def _part(self, local: Value, held: tuple[Range, ...], wanted: tuple[Range, ...]) -> Value:
        if held == wanted:
            return local
        bounds = [(a - h, b - h) if a < b else (0, 0) for (a, b), (h, _) in zip(wanted, held, strict=True)]
        start, stop = zip(*bounds, strict=True)
        return apply(SLICE, local, start=start, stop=stop, step=(1,) * len(bounds))

    # --- what is computed

    def _node(self, node: Node) -> list[tuple[Value, tuple[Range, ...]]]:
        if node.op.name in REGIONS:
            return self._region(node)
        if node.op is COMBINED:
            notes = node.operands[0]
            local = self.fetch(notes, all_of(notes))
            over = self._noted(notes)
            if over:
                (local,) = self.communicate(ALL_REDUCE, local, dims=over, kind=node.kw["kind"])
            return [(local, tuple((0, n) for n in notes.type.shape))]
        across = self.layouts.across.get(node)
        if not can_be_split(node) and node.op.memory != "free" and across is None:
            same = make(node.op, tuple(self.fetch(v, all_of(v)) for v in node.operands), node.attrs)
            return [(v, tuple((0, n) for n in v.type.shape)) for v in same.values]
        value = node.values[0]
        ranges = self.place(self.wanted.computed[value], value.type.shape)
        if node.op.memory != "free" or can_be_split(node):
            needs = [self.wanted.reads(node, k) for k in range(len(node.operands))]
        else:
            needs = [all_of(v) for v in node.operands]
        operands = [self.fetch(v, need) for v, need in zip(node.operands, needs, strict=True)]
        given = [self.place(need, v.type.shape) for v, need in zip(node.operands, needs, strict=True)]
        if node in self.layouts.rearranged:
            return [(self._rearranged(node, operands[0], ranges), ranges)]
        if across is not None:
            assert node.op.across is not None
            made = node.op.across.compute(*operands, ranks=_Ranks(self, across, given), **node.kw)
            places = [ranges, *(tuple((0, n) for n in v.type.shape) for v in node.values[1:])]
            return list(zip([made] if isinstance(made, Value) else made, places, strict=True))
        everything = ranges == tuple((0, n) for n in value.type.shape) and all(
            x.type == v.type for x, v in zip(operands, node.operands, strict=True)
        )
        if everything or node.op.part is None or node.op.part == "same":
            local = Value(make(node.op, tuple(operands), node.attrs), 0)
        else:
            assert callable(node.op.part)
            local = node.op.part(operands, given, ranges, tuple([v.type for v in node.operands]), **node.kw)
        if local.node.op is CONCATENATE:
            local = _as_roll(local.node) or local
        if value in self.wanted.stored:
            return [self._written(node, operands, local, ranges)]
        dims = self.layouts.reduced.get(node)
        if dims and not self.layouts.partial:
            (kind,) = {e.kind for entries in node.access for e in entries if isinstance(e, Reduced)}
            (local,) = self.communicate(ALL_REDUCE, local, dims=dims, kind=kind)
        return [(local, ranges)]

    def _rearranged(self, node: Node, local: Value, ranges: Place) -> Value:
        """The elements of an operand in another shape, from their owners."""
        (x,), type = node.operands, node.types[0]
        have, want = self.layouts.of[x], self.layouts.of[node.values[0]]
        if stays(x.type.shape, have, type.shape, want):
            return apply(lookup("reshape"), local, shape=tuple(map(length, ranges)))
        (found,) = self.communicate(
            REARRANGED_PART, local, grid=self.layouts.grid, at=self.at, before=x.type.shape, have=as_splits(have),
            shape=type.shape, want=as_splits(want),
        )  # fmt: skip
        return found

    def _noted(self, notes: Value) -> tuple[int, ...]:
        """Over which dimensions of the grid a reduction is of which a loop has noted its own part in each iteration."""
        loop, inner = notes.node, self.layouts.inner.get((notes.node, "body"))
        if inner is None or not inner.partial:
            return ()  # what every rank has
        return inner.reduced.get(loop.kw["body"].results[notes.index].node.operands[1].node, ())

    def communicate(self, op: Op, *local: Value, **attrs: Any) -> list[Value]:
        """The results of an operation that takes the token of the one before it, and gives its own."""
        *found, self.token = apply_all(op, *local, self.token, **attrs)
        self._credit(self._at, self.token)
        return found

    def _written(self, node: Node, operands: Sequence[Value], local: Value, mine: Place) -> tuple[Value, Place]:
        """A write into an array that has room for more than is this rank's."""
        array, held = self._held[node.operands[0]]
        if local == operands[0]:
            return array, held  # nothing is written here
        moved = {
            name: tuple(at + m[0] - h[0] for at, m, h in zip(local.node.kw[name], mine, held, strict=True))
            for name in ("start", "stop")
        }
        return apply(UPDATE_SLICE, array, local.node.operands[1], **moved, step=local.node.kw["step"]), held

    def _room(self, local: Value, mine: Place, room: Place) -> Value:
        """An array with room for more."""
        if mine == room:
            return local
        low = tuple(m[0] - r[0] for m, r in zip(mine, room, strict=True))
        high = tuple(r[1] - m[1] for m, r in zip(mine, room, strict=True))
        return apply(PAD, local, const(0, local.type.dtype), low=low, high=high)

    def _region(self, node: Node) -> list[tuple[Value, tuple[Range, ...]]]:
        """A loop or branch: its graphs take and give a token if one of them communicates."""
        first = REGIONS[node.op.name]
        carried = node.kw.get("carried", 0)
        graphs = [(name, graph) for name, graph in node.attrs if isinstance(graph, Graph)]
        lead, rest = node.operands[:first], node.operands[first:]
        name, graph = graphs[-1]
        skip = before_operands(node, name)
        needs: list[Need] = []
        for k in range(len(rest)):
            if k < carried:
                own = self.layouts.of[node.values[k]]
                inner = self.wanted.inner[node, name]
                deep = node in self.layouts.deep
                needs.append(inner.stored.get(graph.params[skip + k], own) if deep else own)
            else:
                needs.append(self.wanted.inner[node, name].computed[graph.params[skip + k]])
        operands = [self.fetch(v, need) for v, need in zip(rest, needs, strict=True)]
        places = [self.place(need, v.type.shape) for v, need in zip(rest, needs, strict=True)]
        for k in range(carried):
            room = self.wanted.inner[node, name].stored.get(graph.params[skip + k])
            if room is not None:
                wide = self.place(room, rest[k].type.shape)
                operands[k], places[k] = self._room(operands[k], places[k], wide), wide
        scalars = [self.fetch(v, all_of(v)) for v in lead]
        outcome = [self.wanted.inner[node, name].results for name, _ in graphs]
        for talks in (False, True):
            new, told = [], False
            for (name, graph), results in zip(graphs, outcome, strict=True):
                made, more = self._inner(node, name, graph, operands, places, carried, talks, results)
                new.append((name, made))
                told = told or more
            if told == talks:
                break
        attrs = dict(node.attrs) | dict(new)
        if talks:
            operands.insert(carried, self.token)
            if "carried" in attrs:
                attrs["carried"] = carried + 1
        whole = make(node.op, (*scalars, *operands), tuple(sorted(attrs.items())))
        values = list(whole.values)
        if talks:
            self.token = values.pop()
        if carried:
            return list(zip(values, places, strict=False))
        layouts = [self.layouts.of[v] for v in node.values]
        return [(v, self.place(s, w.type.shape)) for v, s, w in zip(values, layouts, node.values, strict=True)]

    def _inner(
        self, node: Node, name: str, graph: Graph, operands: Sequence[Value], places: Sequence[tuple[Range, ...]],
        carried: int, talks: bool, results: Sequence[Need],
    ) -> tuple[Graph, bool]:  # fmt: skip
        """A graph of a loop or branch for this rank, and whether it communicates."""
        skip = before_operands(node, name)
        params = [param(k, v.type) for k, v in enumerate(graph.params[:skip])]
        token = param(skip + carried, self.token.type) if talks else const(0, _I64)
        builder = _Builder(
            graph, self.layouts.inner[node, name], self.wanted.inner[node, name], self.at, token, self._origins,
            self._made, Messages(self.messages.groups),
        )  # fmt: skip
        for value, mine in zip(graph.params, params, strict=False):
            builder.hold(value, mine, ())
        for k, (value, operand, held) in enumerate(zip(graph.params[skip:], operands, places, strict=True)):
            if k == carried and talks:
                params.append(token)
            mine = param(len(params), operand.type)
            params.append(mine)
            builder.hold(value, mine, held)
        if talks and len(operands) == carried:
            params.append(token)
        local = builder.run(results, places[:carried] if name != "cond" else ())
        checks = builder.checks()
        told = builder.token != token
        if talks and name != "cond":
            local.append(builder.token)
        elif told and name == "cond":
            # A condition gives no token: what it communicates must be done all the same, on every rank.
            done = apply(lookup("greater_equal"), builder.token, const(0, _I64))
            local[0] = apply(lookup("logical_and"), local[0], done)
        return Graph(params, local, checks), told


class _Ranks:
    """What an operation that puts results together along an axis asks for (`lazyarr.ops.across.Ranks`)."""

    def __init__(self, builder: _Builder, crossed: Crossed, places: Sequence[Place]):
        self.places = places
        self._builder, self._result = builder, crossed.result
        self.line = crossed.line
        along = list(zip(crossed.line.operands, crossed.operands, strict=True))
        self.axis, self._split = next((axis, split) for axis, split in along if axis is not None and split is not None)
        self.pieces = [None if axis is None or split is None else split.ranges for axis, split in along]
        self.at = builder.at[self._split.dim]
        self.ranges = self._split.ranges
        self.first = self.ranges[self.at][0]
        self.costs = builder.layouts.model

    def _values(self, op: Op, *local: Value, **attrs: Any) -> list[Value]:
        return self._builder.communicate(op, *local, at=self.at, dim=self._split.dim, **attrs)

    def _value(self, op: Op, *local: Value, **attrs: Any) -> Value:
        (found,) = self._values(op, *local, **attrs)
        return found

    def reduce(self, value: Value, kind: str) -> Value:
        (found,) = self._builder.communicate(ALL_REDUCE, value, dims=(self._split.dim,), kind=kind)
        return found

    def before(self, value: Value, axis: int) -> Value | None:
        count = range(len(self._split.ranges))
        have, want = tuple((k, k + 1) for k in count), tuple((0, k) for k in count)
        given = self._value(EXCHANGE, value, axis=axis, base=self.at, have=have, want=want)
        return given if self.at else None

    def gathered(self, value: Value, counts: Sequence[int]) -> Value:
        ends = [0, *itertools.accumulate(counts)]
        have, want = tuple(itertools.pairwise(ends)), ((0, ends[-1]),) * len(counts)
        return self._value(EXCHANGE, value, axis=0, base=ends[self.at], have=have, want=want)

    def scattered(self, *operands: Value, axes: tuple[int, ...], kind: str) -> Value:
        by = axes.index(self.axis)
        return self._value(SCATTERED_PART, *operands, axes=axes, kind=kind, by=by, have=self.ranges)

    def picked(self, *operands: Value, axes: tuple[int, ...]) -> Value:
        own = any(axis is not None for axis in self.line.operands[1:])
        return self._value(PICKED_PART, *operands, axes=axes, by=axes.index(self.axis), have=self.ranges, own=own)

    def solved(self, a: Value, b: Value) -> tuple[Value, ...]:
        return tuple(self._values(SOLVED_PART, a, b, have=self.ranges))

    def factorized(self, a: Value) -> tuple[Value, ...]:
        return tuple(self._values(CHOLESKY_PART, a, have=self.ranges))

    def determined(self, a: Value) -> tuple[Value, ...]:
        return tuple(self._values(DETERMINED_PART, a, have=self.ranges))

    def sorted(self, value: Value, index: bool) -> Value:
        return self._value(SORTED_PART, value, have=self._split.ranges, index=index)

    def transposed(self, value: Value, axis: int, have: Ranges, other: int, want: Ranges) -> Value:
        return self._value(TURNED_PART, value, axis=axis, have=have, other=other, want=want)

    def flattened(self, value: Value, shape: tuple[int, int], have: Ranges) -> Value:
        # (What is beyond the result's end goes to the last rank, which leaves it.)
        size, (start, stop) = shape[0] * shape[1], self._result.ranges[self.at]
        *others, (last, _) = self._result.ranges
        ranges = (*others, (last, size))
        (found,) = self._builder.communicate(
            REARRANGED_PART, value, grid=self._builder.layouts.grid, at=self._builder.at, before=shape,
            have=((1, self._split.dim, have),), shape=(size,), want=((0, self._split.dim, ranges),),
        )  # fmt: skip
        return found if found.type.shape[0] == stop - start else apply(
            SLICE, found, start=(0,), stop=(stop - start,), step=(1,)
        )  # fmt: skip

    def turned(self, value: Value, make: Callable[[Value], Value]) -> Value:
        # (The longest of the other axes: what this rank has of one that is split along another dimension, too.)
        shape, have = value.type.shape, self._split.ranges
        other = max((k for k in range(len(shape)) if k != self.axis), key=lambda k: shape[k])
        parts = even(shape[other], len(have))
        made = make(self._value(TURNED_PART, value, axis=self.axis, have=have, other=other, want=parts))
        return self._value(TURNED_PART, made, axis=other, have=parts, other=self.axis, want=self._result.ranges)
