"""The body of a loop for a block of its iterations: each statement for all of them, the *lanes*, in turn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lazyarr.ir import extents
from lazyarr.ir.extents import Extent, Length
from lazyarr.ir.graph import Graph, depth_first, param
from lazyarr.ir.node import Node, Value, apply, make
from lazyarr.ir.op import Op, lookup
from lazyarr.ops.create import CONST, IOTA, const
from lazyarr.ops.folds import PARTS
from lazyarr.ops.linalg import MATMUL
from lazyarr.ops.loops import LOOP
from lazyarr.ops.reduce import COLUMN_SUMS, REDUCE
from lazyarr.ops.shape import TRANSPOSE
from lazyarr.ops.window import COUNT, EXPAND, PUT_WINDOW, WINDOW
from lazyarr.passes.build import broadcast_to

_I64 = np.dtype(np.int64)
_ADD, _SUBTRACT, _MULTIPLY, _MINIMUM = map(lookup, ("add", "subtract", "multiply", "minimum"))
#: Elements of the largest array of a block: what stays in the second cache.
_CACHED = 1 << 16
#: Lanes of a block, at least and at most; few, if a loop is so large that threads should share its blocks.
_LEAST, _MOST = 64, 1024
_LARGE, _BLOCKS = 1 << 18, 16
#: Elements of an array that may have to be stored.
_STORED = 1 << 22
#: Lanes of loops with loops in them, at least and at most; operations on numbers in those that pay without any array.
_LEAST_AROUND, _MOST_AROUND = 16, 256
_PAY = 3
#: Iterations of loops that LLVM writes out.
_SHORT = 6
#: Operations on numbers that give the same bits on arrays of them.
_SAME_BITS = frozenset({"add", "subtract", "multiply", "divide", "negative", "absolute", "sqrt", "square", "maximum",
                        "minimum", "less", "less_equal", "greater", "greater_equal", "equal", "not_equal",
                        "logical_and", "logical_or", "logical_not", "select", "cast"})  # fmt: skip


class Impossible(Exception):
    """The iterations of a loop cannot advance together, or there is no gain in it."""


@dataclass
class Block:
    """The body of a loop, for a block of iterations.

    In the new body the index is that of the first lane: a scalar that is the index and a constant is that of the first
    lane as it stands.

    Attributes
    ----------
    new : dict of Value to Value
        What values became: those that are the same in all lanes, the carried arrays, and what has an axis of lanes.
    wide : set of Value
        The values of the old body that have an axis of lanes.
    starts : set of Value
        Scalars that are the index and a constant.
    slots : dict of Value to int
        The carried arrays, in each of their states, by their number.
    lanes : int
        The most lanes of a block.
    rest : int
        Lanes of a last block with a body of its own; 0 if there is none.
    copied : frozenset of Value
        Parameters of the old body that may be copied with another axis along memory.
    copies : list of (Value, bool, Value)
        Those that are, whether that is the first axis, and the parameter of the new body.
    """

    node: Node
    exact: bool
    turned: frozenset[Value]
    is_shared: bool
    copied: frozenset[Value] = frozenset()
    new: dict[Value, Value] = field(default_factory=dict)
    wide: set[Value] = field(default_factory=set)
    starts: set[Value] = field(default_factory=set)
    slots: dict[Value, int] = field(default_factory=dict)
    made: list[tuple[Node, Node]] = field(default_factory=list)
    lanes: int = _MOST
    is_rest: bool = False
    around: Block | None = None
    rest: int = 0
    params: int = 0
    copies: list[tuple[Value, bool, Value]] = field(default_factory=list)
    _seen: set[Node] = field(default_factory=set)
    _order: list[Node] = field(default_factory=list)
    _sources: dict[Value, Value] = field(default_factory=dict)

    def body(self) -> Graph:
        """The new body."""
        old: Graph = self.node.kw["body"]
        carried = self.node.kw["carried"]
        index = old.params[0]
        stop = param(len(old.params), index.type)
        self.new.update({p: p for p in old.params})
        self.starts.add(index)
        roles = self.node.kw["shared"]
        self.slots.update({p: k for k, p in enumerate(old.params[1 : 1 + carried]) if roles[k] == PARTS})
        self._extent = self._lanes(old, stop)
        self.params = 1 + len(old.params)
        self._statements(old)
        if not self._gains:
            raise Impossible
        results = [self.new[v] for v in old.results]
        for k, value in enumerate(old.results):
            if roles[k] == PARTS and self.slots.get(value) != k:
                raise Impossible
        return Graph((*old.params, stop, *(p for _, _, p in self.copies)), results, (), self._order)

    def _statements(self, old: Graph) -> None:
        """Make what stands for the nodes of a graph."""
        if old.checks:
            raise Impossible
        #: Windows that go along memory now and did not before; operations that lanes do together.
        self._gains = self._worked = 0
        readers: dict[Value, int] = {}
        for value in (v for node in old.nodes for v in node.operands):
            readers[value] = readers.get(value, 0) + 1
        for node in old.nodes:
            self._old = node
            self._node(node)
            for value in node.values:
                if value in self.wide and value.type.shape and readers.get(value, 0) > 1:
                    if _elements(self.new[value]) > _STORED:
                        raise Impossible

    def _lanes(self, old: Graph, stop: Value) -> Extent:
        """Decide how many lanes a block has at most; gives how many it has."""
        if self.is_rest:
            return self.lanes
        inner = [node for node in old.nodes if node.op is LOOP]
        if inner:
            return self._lanes_around(inner)
        rows, lanes = 1, 1
        for node in old.nodes:
            if node.op is WINDOW and node.operands[0].type.shape:
                rows = max(rows, _elements(node.values[0]))
                lanes = max(lanes, extents.bound(node.operands[0].type.shape[-1]))
        most = max(_LEAST, min(_MOST, _CACHED // rows // 16 * 16))
        if rows * lanes > _LARGE:
            most = min(most, max(_LEAST, -(-lanes // _BLOCKS) // 16 * 16))
        first, last = map(number, self.node.operands[:2])
        if first is not None and last is not None:
            trips = last - first
            even = [n for n in range(_LEAST, most + 1, 16) if trips % n == 0]
            if 0 < trips <= most or even:
                self.lanes = trips if trips <= most else even[-1]
                return self.lanes
        self.lanes = most
        length = apply(_MINIMUM, apply(_SUBTRACT, stop, old.params[0]), const(most, _I64))
        self._order += depth_first([length], self._seen)
        return Length(length, most)

    def _lanes_around(self, loops: list[Node]) -> int:
        """The same of a body with loops in it, where all blocks but the last have as many."""
        first, last = map(number, self.node.operands[:2])
        if first is None or last is None or last - first < _LEAST_AROUND:
            raise Impossible
        trips, most = last - first, _MOST_AROUND
        if all((n := _trips(loop)) is not None and n <= _SHORT for loop in _nested(loops)):
            raise Impossible  # LLVM writes them out, and keeps in registers what lanes would store.
        rows = max(_trips(loop) or 1 for loop in loops)
        if not self.is_shared and rows * trips > _LARGE:
            most = max(_LEAST, min(most, trips // _BLOCKS))
        blocks = -(-trips // most)
        self.lanes = -(-trips // blocks // 16) * 16 if blocks > 1 else trips
        self.rest = trips % self.lanes
        return self.lanes

    # --- what is made

    def _apply(self, op: Op, *operands: Value, **attrs: Any) -> Value:
        value = apply(op, *operands, **attrs)
        self._add(value)
        return value

    def _add(self, value: Value) -> None:
        """Note what has been made, and what that was made of."""
        for node in depth_first([value], self._seen):
            self._order.append(node)
            self.made.append((node, self._old))

    def _wide(self, value: Value) -> Value:
        """A value with an axis of lanes, the last one; of length 1 where it is the same in all lanes."""
        if value in self.starts:
            if isinstance(self._extent, int):
                numbers = self._apply(IOTA, length=self._extent, dtype=_I64)
            else:
                numbers = self._apply(COUNT, self._extent.scalar, bound=self._extent.bound)
            return self._apply(_ADD, self.new[value], numbers)
        now = self.new[value]
        if value in self.wide or not value.type.shape:
            return now
        return self._apply(EXPAND, now, axes=(value.type.ndim,))

    def _full(self, value: Value, shape: tuple[Extent, ...]) -> Value:
        """A value with an axis of lanes, of the shape that it has in an iteration."""
        now = broadcast_to(self._wide(value), (*shape, self._extent))
        self._add(now)
        return now

    # --- nodes

    def _node(self, node: Node) -> None:
        name = node.op.name
        varies = [self._varies(v) for v in node.operands]
        if any(v in self.slots for v in node.operands) and node.op not in (WINDOW, PUT_WINDOW, LOOP):
            raise Impossible
        if node.op is LOOP:
            self._inner(node)
        elif list(node.regions):
            raise Impossible
        elif node.op is PUT_WINDOW:
            self._put(node)
        elif not any(varies):
            made = make(node.op, tuple(self.new[v] for v in node.operands), node.attrs)
            self.new.update(zip(node.values, made.values, strict=True))
            self._add(made.values[0])
        elif self._is_start(node, varies):
            self.new[node.values[0]] = self._apply(node.op, *(self.new[v] for v in node.operands))
            self.starts.add(node.values[0])
        elif node.op is WINDOW:
            self._window(node)
        elif node.op is REDUCE:
            self._set(node, self._reduce(node))
        elif node.op is MATMUL:
            self._set(node, self._product(node))
        elif name in ("expand", "full", "broadcast", "spread") and varies[0] and not any(varies[1:]):
            self._set(node, self._full(node.operands[0], node.types[0].shape) if name != "expand"
                      else self._apply(EXPAND, self._wide(node.operands[0]), axes=node.kw["axes"]))  # fmt: skip
        elif node.op.pointwise:
            self._pointwise(node, varies)
        else:
            raise Impossible

    def _varies(self, value: Value) -> bool:
        """Whether a value is another one in each lane."""
        return value in self.wide or value in self.starts

    def _inner(self, node: Node) -> None:
        """A loop in an iteration: all lanes go through its iterations together."""
        body, inits = node.kw["body"], node.operands[3 : 3 + node.kw["carried"]]
        if any(map(self._varies, node.operands[:3])) or node.kw["until"] >= 0 or not isinstance(self._extent, int):
            raise Impossible
        # What is a number in each lane at the end of an iteration is one at its beginning.
        varying = {k for k, v in enumerate(inits) if self._varies(v)}
        while True:
            inside, operands, params = self._entered(node, varying)
            inside._statements(body)
            more = {k for k, v in enumerate(body.results) if inside._varies(v)} - varying
            if not more:
                break
            varying |= more
        results = []
        for k, (value, init) in enumerate(zip(body.results, inits, strict=True)):
            if inside.slots.get(value) != self.slots.get(init):
                raise Impossible
            results.append(inside._full(value, value.type.shape) if k in varying else inside.new[value])
        self._gains += inside._gains or int(inside._worked >= _PAY)
        self.made += inside.made
        params += [p for _, _, p in inside.copies]
        operands += [self._copy_of(inside._sources[array], is_across) for array, is_across, _ in inside.copies]
        graph = Graph(tuple(params), results, (), inside._order)
        attrs = {name: value for name, value in node.attrs if name != "shared"} | {"body": graph}
        bounds = [self.new[v] for v in node.operands[:3]]
        made = make(LOOP, (*bounds, *operands), tuple(sorted(attrs.items())))
        self._add(made.values[0])
        for k, (value, now) in enumerate(zip(node.values, made.values, strict=True)):
            self.new[value] = now
            if k in varying:
                self.wide.add(value)
            if inits[k] in self.slots:
                self.slots[value] = self.slots[inits[k]]

    def _entered(self, node: Node, varying: set[int]) -> tuple[Block, list[Value], list[Value]]:
        """The block of an inner loop's body, of which some of what it carries varies; its operands and parameters."""
        carried, body = node.kw["carried"], node.kw["body"]
        sources = dict(zip(body.params[1:], node.operands[3:], strict=True))
        operands = [
            self._full(v, v.type.shape) if k in varying else self.new[v] for k, v in enumerate(sources.values())
        ]
        params = [param(0, body.params[0].type), *(param(1 + k, v.type) for k, v in enumerate(operands))]
        inside = Block(
            self.node, self.exact, frozenset(p for p, v in sources.items() if v in self.turned), True,
            frozenset(p for p, v in sources.items() if v in self.copied), lanes=self.lanes, around=self,
        )  # fmt: skip
        inside._extent, inside._sources, inside.params = self._extent, sources, len(params)
        inside.new.update(zip(body.params, params, strict=True))
        for k, (p, v) in enumerate(sources.items()):
            if k in varying or (k >= carried and v in self.wide):
                inside.wide.add(p)
            elif v in self.starts:
                inside.starts.add(p)
            if v in self.slots:
                inside.slots[p] = self.slots[v]
        return inside, operands, params

    def _set(self, node: Node, value: Value) -> None:
        self.new[node.values[0]] = value
        self.wide.add(node.values[0])

    def _is_start(self, node: Node, varies: list[bool]) -> bool:
        """Whether a node gives the index and what is the same in all lanes."""
        if node.op not in (_ADD, _SUBTRACT) or node.types[0].shape or node.types[0].dtype != _I64 or sum(varies) != 1:
            return False
        return node.operands[0 if varies[0] else 1] in self.starts and (varies[0] or node.op is _ADD)

    def _place(self, dims: tuple[Any, ...], scalars: tuple[Value, ...]) -> tuple[int, tuple[Any, ...], list[Value]]:
        """Which axis a window takes by the index, and the window of all lanes; the axis is -1 if there is none."""
        found = -1
        new: list[tuple[Any, ...]] = []
        operands: list[Value] = []
        given = iter(scalars)
        for k, dim in enumerate(dims):
            own = [next(given) for _ in range({"all": 0, "index": 1, "block": 1, "slice": 2}[dim[0]])]
            if any(v in self.wide or v in self.starts for v in own):
                if dim[0] != "index" or own[0] not in self.starts or found >= 0:
                    raise Impossible
                found = k
                operands.append(self.new[own[0]])
                if isinstance(self._extent, int):
                    new.append(("block", self._extent, 1))
                else:
                    new.append(("slice", 1))
                    operands.append(self._extent.scalar)
            else:
                new.append(dim)
                operands += [self.new[v] for v in own]
        return found, tuple(new), operands

    def _gain(self, array: Value, axis: int, rank: int) -> None:
        """Note how a window of all lanes lies in memory; `rank` is that of an iteration's."""
        if not rank and self.around is None:
            return
        if axis != array.type.ndim - 1 or array in self.turned:
            raise Impossible
        self._gains += 1

    def _window(self, node: Node) -> None:
        array, scalars = node.operands[0], node.operands[1:]
        if array in self.slots:
            written = self._written(node)
            if written is not None:
                self.new[node.values[0]] = self.new[written]
                self.wide.add(node.values[0])
                return
        axis, dims, operands = self._place(node.kw["dims"], scalars)
        if array in self.wide:
            if axis >= 0:
                raise Impossible
            self._set(node, self._apply(WINDOW, self.new[array], *operands, dims=(*dims, ("all",))))
            return
        if array in self.copied and not node.types[0].ndim and array.type.ndim == 2 and axis >= 0:
            if (axis == 0 or array in self.turned) and self.around is not None:
                copy = self._copy_of(array, axis == 0)
                given = operands if axis else operands[::-1]
                self._gains += 1
                self._set(node, self._apply(WINDOW, copy, *given, dims=dims if axis else dims[::-1]))
                return
        self._gain(array, axis, node.types[0].ndim)
        found = self._apply(WINDOW, self.new[array], *operands, dims=dims)
        self._set(node, self._last(found, sum(dim[0] != "index" for dim in dims[:axis])))

    def _copy_of(self, array: Value, is_across: bool) -> Value:
        """The parameter that is a copy of an array."""
        for known, how, value in self.copies:
            if known is array and how == is_across:
                return value
        type = array.type
        if type.dtype.kind not in "fiu" or not extents.is_static(type.shape) or _elements(array) > _STORED:
            raise Impossible
        made = param(self.params + len(self.copies), type.with_shape(type.shape[::-1] if is_across else type.shape))
        self.copies.append((array, is_across, made))
        return made

    def _written(self, node: Node) -> Value | None:
        """What has just been written into the window that a node reads."""
        put = node.operands[0].node
        if put.op is PUT_WINDOW and put.kw["dims"] == node.kw["dims"] and put.operands[2:] == node.operands[1:]:
            if put.operands[1] in self.wide:
                return put.operands[1]
        return None

    def _last(self, value: Value, axis: int) -> Value:
        """A value with an axis moved to the end."""
        rank = value.type.ndim
        if axis == rank - 1:
            return value
        return self._apply(TRANSPOSE, value, axes=(*(a for a in range(rank) if a != axis), axis))

    def _put(self, node: Node) -> None:
        array, value = node.operands[:2]
        if array not in self.slots:
            raise Impossible
        axis, dims, operands = self._place(node.kw["dims"], node.operands[2:])
        if axis < 0:
            raise Impossible
        self._gain(array, axis, value.type.ndim)
        full = self._full(value, value.type.shape)
        at, rank = sum(dim[0] != "index" for dim in dims[:axis]), full.type.ndim
        if at != rank - 1:
            full = self._apply(TRANSPOSE, full, axes=(*range(at), rank - 1, *range(at, rank - 1)))
        self.new[node.values[0]] = self._apply(PUT_WINDOW, self.new[array], full, *operands, dims=dims)
        self.slots[node.values[0]] = self.slots[array]

    def _reduce(self, node: Node) -> Value:
        x, kind = node.operands[0], node.kw["kind"]
        if x.type.ndim != 1 or node.kw["axes"] != (0,):
            raise Impossible
        if kind == "add" and x.type.dtype.kind not in "biu":
            return self._sums(self._full(x, x.type.shape))
        if kind == "multiply" and x.type.dtype.kind not in "biu":
            raise Impossible
        return self._apply(REDUCE, self._full(x, x.type.shape), kind=kind, axes=(0,))

    def _sums(self, terms: Value) -> Value:
        if terms.type.dtype not in (np.float32, np.float64):
            raise Impossible
        return self._apply(COLUMN_SUMS, terms)

    def _product(self, node: Node) -> Value:
        a, b = node.operands
        dtype = node.types[0].dtype
        if a.type.ndim != 1 or b.type.ndim != 1 or dtype not in (np.float32, np.float64) or self.exact:
            raise Impossible
        if a in self.wide and b in self.wide:
            return self._sums(self._apply(_MULTIPLY, self.new[a], self.new[b]))
        vector, columns = (b, a) if a in self.wide else (a, b)
        return self._apply(MATMUL, self.new[vector], self.new[columns])

    def _pointwise(self, node: Node, varies: list[bool]) -> None:
        if any(varies[k] and not node.operands[k].type.shape for k in node.op.scalar_loops):
            raise Impossible
        if not node.types[0].shape and (
            node.op.name not in _SAME_BITS or any(v.type.dtype.kind == "c" for v in (*node.operands, *node.values))
        ):
            raise Impossible
        operands = tuple(self._wide(v) for v in node.operands)
        made = make(node.op, operands, node.attrs)
        self._add(made.values[0])
        for value, now in zip(node.values, made.values, strict=True):
            self.new[value] = now
            self.wide.add(value)
        self._worked += 1


def _trips(loop: Node) -> int | None:
    """How many iterations a loop has, where that is known."""
    low, high = map(number, loop.operands[:2])
    return None if low is None or high is None else max(high - low, 0)


def _nested(loops: Iterable[Node]) -> Iterator[Node]:
    """Loops and those in them."""
    for loop in loops:
        yield loop
        yield from _nested(node for node in loop.kw["body"].nodes if node.op is LOOP)


def number(value: Value) -> int | None:
    """A whole number that is known."""
    return int(value.node.kw["value"].value) if value.node.op is CONST else None


def _elements(value: Value) -> int:
    """How many elements a value has at most."""
    return int(np.prod([extents.bound(n) for n in value.type.shape], dtype=object))
