"""Statements whose inner rows need nothing of what a halo brings: which they are, and both parts of them.

A statement is a write of element-wise work into a slice of an array, ``w = update_slice(base, e)``. Along the axis of
the halo, `e` has rows of which every element that it reads is this rank's own: they are written first, into `base` as
it was before anything came. What `base` itself gets of the halo comes then, and the other rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lazyarr.ir.extents import is_static
from lazyarr.ir.graph import Graph
from lazyarr.ir.layout import Range, intersection, length
from lazyarr.ir.node import Node, Value, apply, make
from lazyarr.ops.index import UPDATE_SLICE
from lazyarr.ops.shape import CONCATENATE, SLICE

#: Operations one on the other, in a statement that is taken apart.
_DEEPEST = 200


@dataclass(frozen=True)
class Piece:
    """Rows of an array that are rows of another value, from `first` on; whether that comes with the halo."""

    rows: Range
    value: Value
    first: int
    comes: bool


@dataclass(frozen=True)
class Joined:
    """What comes and what was there, together along an axis; in memory that was there before, or in new memory."""

    axis: int
    pieces: tuple[Piece, ...]
    before: Value | None

    @property
    def own(self) -> Range:
        """The rows that were there."""
        (found,) = (p.rows for p in self.pieces if not p.comes)
        return found


@dataclass(frozen=True)
class Statement:
    """A write of which a part can be done early.

    Attributes
    ----------
    node : Node
    axis : int
    inner : (start, stop)
        Rows of what is written that need nothing of what comes.
    """

    node: Node
    axis: int
    inner: Range

    @property
    def result(self) -> Value:
        """The array when all is written."""
        return self.node.values[0]

    @property
    def rows(self) -> int:
        """How many rows are written."""
        return int(self.node.operands[1].type.shape[self.axis])

    @property
    def row_bytes(self) -> float:
        """Bytes of one of them."""
        return int(self.node.operands[1].type.nbytes) / max(self.rows, 1)


class Halves:
    """What of a graph can be done before a halo has come.

    Attributes
    ----------
    behind : set of Node
        What depends on what comes.
    statements : list of Statement
    """

    def __init__(self, graph: Graph, halo: Node):
        self.behind = _behind(graph, halo)
        self._users: dict[Value, list[Node]] = {}
        for node in graph.nodes:
            for value in dict.fromkeys(node.operands):
                self._users.setdefault(value, []).append(node)
        self._roots = set(graph.roots)
        self._joined = _joined(graph, halo, self.behind)
        self._valid: dict[Value, tuple[int, Range]] = {v: (j.axis, j.own) for v, j in self._joined.items()}
        self.statements: list[Statement] = []
        self._depth: dict[Node, int] = {}
        for node in graph.nodes:
            if node.op is SLICE or node.op.pointwise:
                self._depth[node] = 1 + max((self._depth.get(v.node, 0) for v in node.operands), default=0)
            if node in self.behind and node.values[0] not in self._joined:
                self._look(node)
        self._new: Mapping[Value, Value] = {}
        self._parts: dict[tuple[Value, int, Range, bool], Value] = {}
        self._begun: dict[Value, Value] = {}

    @property
    def saved(self) -> int:
        """Bytes of arrays that are put together for these statements alone: afterwards only a few of their rows are."""
        return sum(int(v.type.nbytes) for v, j in self._joined.items() if j.before is None and self._in_parts(v))

    def _in_parts(self, value: Value) -> bool:
        """Whether nothing but statements of which a part is done early is made of a value."""
        ends, seen, pending = {s.node for s in self.statements}, {value}, [value]
        while pending:
            one = pending.pop()
            if one in self._roots:
                return False
            for node in self._users.get(one, ()):
                if node not in ends:
                    if node.op is not SLICE and not node.op.pointwise:
                        return False
                    pending += [v for v in node.values if v not in seen]
                    seen.update(node.values)
        return True

    # --- which

    def _look(self, node: Node) -> None:
        """Find the rows of a node's results that are there early."""
        if node.op is SLICE and node.operands[0] in self._valid and set(node.kw["step"]) == {1}:
            axis, rows = self._valid[node.operands[0]]
            start = node.kw["start"][axis]
            a, b = intersection(rows, (start, node.kw["stop"][axis]))
            if a < b:
                self._valid[node.values[0]] = axis, (a - start, b - start)
        elif node.op.pointwise:
            found = self._common(node)
            if found is not None:
                self._valid.update(dict.fromkeys(node.values, found))
        elif node.op is UPDATE_SLICE:
            self._write(node)

    def _once(self, value: Value) -> bool:
        """Whether a value has one reader."""
        return value not in self._roots and len(self._users.get(value, ())) == 1

    def _common(self, node: Node) -> tuple[int, Range] | None:
        """The rows in which all operands are there early."""
        shape = node.types[0].shape
        if not all(is_static(v.type.shape) for v in (*node.values, *node.operands)):
            return None
        found: tuple[int, Range] | None = None
        for operand in node.operands:
            if operand.node not in self.behind:
                continue
            known = self._valid.get(operand)
            if known is None:
                return None
            axis, rows = known[0] + len(shape) - operand.type.ndim, known[1]
            if operand.type.shape[known[0]] != shape[axis] or (found is not None and found[0] != axis):
                return None
            found = axis, rows if found is None else intersection(rows, found[1])
        return found if found is not None and length(found[1]) else None

    def _write(self, node: Node) -> None:
        base, value = node.operands
        known = self._valid.get(value)
        if known is None or not value.node.op.pointwise or self._depth[value.node] > _DEEPEST:
            return
        if set(node.kw["step"]) != {1} or not self._once(value):
            return
        axis, (p, q) = known
        first, last = node.kw["start"][axis], node.kw["start"][axis] + int(value.type.shape[axis])
        # Rows of the array that are not what they will be.
        later = [r for r in ((first, first + p), (first + q, last)) if length(r)]
        if base.node in self.behind:
            joined = self._joined.get(base)
            if joined is None or joined.before is None or joined.axis != axis:
                return
            coming = [p.rows for p in joined.pieces if p.comes]
            if any(length(intersection(r, (first + p, first + q))) for r in coming):
                return
            later += coming
        statement = Statement(node, axis, (p, q))
        self.statements.append(statement)
        low = max((b for _, b in later if b <= first + p), default=0)
        high = min((a for a, _ in later if a >= first + q), default=int(base.type.shape[axis]))
        self._valid[statement.result] = axis, (low, high)

    # --- the parts

    def begin(self, statement: Statement, new: Mapping[Value, Value]) -> Value:
        """The array with the inner rows written; `new` has what does not depend on what comes."""
        base, value = statement.node.operands
        self._new = new
        if base in self._joined:
            before = self._joined[base].before
            assert before is not None
            base = before
        part = self._part(value, statement.axis, statement.inner, True)
        self._begun[statement.result] = found = _written(statement, new[base], part, statement.inner)
        return found

    def complete(self, statement: Statement, new: Mapping[Value, Value]) -> Value:
        """The array with all rows, from what `begin` has given; `new` has what comes before the write."""
        base, value = statement.node.operands
        self._new, array = new, self._begun[statement.result]
        if base in self._joined:
            joined = self._joined[base]
            for piece in joined.pieces:
                if piece.comes:
                    array = _put(array, joined.axis, piece.rows, new[piece.value])
        for rows in ((0, statement.inner[0]), (statement.inner[1], statement.rows)):
            if length(rows):
                array = _written(statement, array, self._part(value, statement.axis, rows, False), rows)
        return array

    def _part(self, value: Value, axis: int, rows: Range, early: bool) -> Value:
        """Rows of a value, made of what there is before the wait, or of what is there afterwards."""
        key = value, axis, rows, early
        found = self._parts.get(key)
        if found is None:
            found = self._parts[key] = self._made(value, axis, rows, early)
        return found

    def _made(self, value: Value, axis: int, rows: Range, early: bool) -> Value:
        node, clean = value.node, value.node not in self.behind
        if value in self._joined:
            joined = self._joined[value]
            if joined.before is None or early:
                return _of_pieces(joined, rows, self._new)
        elif value in self._begun:
            return _rows(self._begun[value] if early else self._new[value], axis, rows)
        elif node.op is SLICE and not clean:
            first, last = list(node.kw["start"]), list(node.kw["stop"])
            part = self._part(node.operands[0], axis, (first[axis] + rows[0], first[axis] + rows[1]), early)
            first[axis], last[axis] = 0, length(rows)
            return _slice(part, first, last)
        elif node.op.pointwise and (not clean or self._once(value)):
            return make(node.op, tuple(self._operand(v, value, axis, rows, early) for v in node.operands),
                        node.attrs).values[value.index]  # fmt: skip
        assert clean or not early, "what comes is read before it has come"
        return _rows(self._new[value], axis, rows)

    def _operand(self, operand: Value, result: Value, axis: int, rows: Range, early: bool) -> Value:
        """What rows of element-wise work read of an operand, which may be repeated along axes."""
        own = axis - (result.type.ndim - operand.type.ndim)
        if own < 0 or operand.type.shape[own] != result.type.shape[axis]:
            return self._new[operand]
        return self._part(operand, own, rows, early)


def read_before(graph: Graph, halo: Node) -> dict[Node, Value]:
    """Slices of what was there and what comes together that need nothing of what comes: what they are without it."""
    joined = _joined(graph, halo, _behind(graph, halo))
    found: dict[Node, Value] = {}
    for node in graph.nodes:
        known = joined.get(node.operands[0]) if node.op is SLICE else None
        if known is not None and known.before is not None and set(node.kw["step"]) == {1}:
            (a, b), (start, stop) = known.own, (node.kw[name][known.axis] for name in ("start", "stop"))
            if a <= start <= stop <= b:
                found[node] = make(SLICE, (known.before,), node.attrs).values[0]
    return found


def _behind(graph: Graph, halo: Node) -> set[Node]:
    """What depends on what a halo brings; on its token alone does not count."""
    comes = set(halo.values[:-1])
    found: set[Node] = set()
    for node in graph.nodes:
        if any(v in comes or v.node in found for v in node.operands):
            found.add(node)
    return found


def _joined(graph: Graph, halo: Node, behind: set[Node]) -> dict[Value, Joined]:
    """Arrays that are what comes and what was there, by what was exchanged."""
    found: dict[Value, Joined] = {}
    comes = {v: halo.operands[k // 2] for k, v in enumerate(halo.values[:-1])}
    own: dict[Value, Joined] = {}
    for array, (axis, base, have, _) in zip(halo.operands[:-1], halo.kw["parts"], strict=False):
        start, stop = have[halo.kw["at"]]
        if start < stop:
            rows = start - base, stop - base
            own[array] = Joined(axis, (Piece(rows, array, rows[0], False),), array)
    for node in graph.nodes:
        if node.op is UPDATE_SLICE and node.operands[1] in comes:
            array, part = node.operands
            known = found.get(array) or own.get(array)
            if known is None or comes[part] != known.before or set(node.kw["step"]) != {1}:
                continue
            axis, shape = known.axis, array.type.shape
            rows = node.kw["start"][axis], node.kw["stop"][axis]
            whole = all(k == axis or (a, b) == (0, n) for k, (a, b, n) in enumerate(
                zip(node.kw["start"], node.kw["stop"], shape, strict=True)))  # fmt: skip
            if whole and not any(length(intersection(p.rows, rows)) for p in known.pieces):
                piece = Piece(rows, part, 0, True)
                found[node.values[0]] = Joined(axis, (*known.pieces, piece), known.before)
        elif node.op is CONCATENATE and any(v in comes for v in node.operands):
            axis, pieces, at = node.kw["axis"], [], 0
            for v in node.operands:
                n = int(v.type.shape[axis])
                if n:
                    pieces.append(Piece((at, at + n), v, 0, v in comes))
                at += n
            if [p.value.node in behind for p in pieces if not p.comes] == [False]:
                found[node.values[0]] = Joined(axis, tuple(pieces), None)
    return found


def _of_pieces(joined: Joined, rows: Range, new: Mapping[Value, Value]) -> Value:
    """Rows of what is put together, from its pieces."""
    parts = []
    for piece in sorted(joined.pieces, key=lambda p: p.rows):
        a, b = intersection(piece.rows, rows)
        if a < b:
            moved = piece.first - piece.rows[0]
            parts.append(_rows(new[piece.value], joined.axis, (a + moved, b + moved)))
    return parts[0] if len(parts) == 1 else apply(CONCATENATE, *parts, axis=joined.axis)


def _slice(value: Value, first: list[int], last: list[int]) -> Value:
    if all((a, b) == (0, n) for a, b, n in zip(first, last, value.type.shape, strict=True)):
        return value
    return apply(SLICE, value, start=tuple(first), stop=tuple(last), step=(1,) * len(first))


def _rows(value: Value, axis: int, rows: Range) -> Value:
    first, last = [0] * value.type.ndim, [int(n) for n in value.type.shape]
    first[axis], last[axis] = rows
    return _slice(value, first, last)


def _put(array: Value, axis: int, rows: Range, part: Value) -> Value:
    """An array with whole rows replaced."""
    first, last = [0] * array.type.ndim, [int(n) for n in array.type.shape]
    first[axis], last[axis] = rows
    return apply(UPDATE_SLICE, array, part, start=tuple(first), stop=tuple(last), step=(1,) * len(first))


def _written(statement: Statement, array: Value, part: Value, rows: Range) -> Value:
    """An array with some rows of what a statement writes."""
    first, last = list(statement.node.kw["start"]), list(statement.node.kw["stop"])
    begin = first[statement.axis]
    first[statement.axis], last[statement.axis] = begin + rows[0], begin + rows[1]
    return apply(UPDATE_SLICE, array, part, start=tuple(first), stop=tuple(last), step=(1,) * len(first))
