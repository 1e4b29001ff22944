"""Reductions of whole arrays to numbers, of one size and made of the same arrays: they are one pass.

``x.mean(), x.min(), np.abs(x - y).max()`` reads ``x`` from memory once, and what several of them need is computed once.
Sums have NumPy's order of additions (`native_sums`); the others go by its halves, which changes nothing. Reductions of
the rows of one array are found here, too (`native_row_totals`).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from operator import or_
from typing import TYPE_CHECKING

import numpy as np

from lazyarr.backends import native_nests as nests
from lazyarr.backends import native_peaks, native_row_totals, native_sums
from lazyarr.backends.native_emit import Code, Element, Index, literal, register
from lazyarr.backends.native_patched import boxes
from lazyarr.backends.native_storage import Scalar, Storage, Strided, flat
from lazyarr.backends.native_views import VIEWS
from lazyarr.ir import extents
from lazyarr.ir.graph import Graph
from lazyarr.ir.node import Node, Value

if TYPE_CHECKING:
    from lazyarr.backends.native_frame import Frame

#: Elements from which on it is worth while.
_LEAST = 512
#: Reductions that are one pass at most, and arrays that it reads: each is a stream from memory.
_MOST, _STREAMS = 12, 8
_KINDS = {"add", "maximum", "minimum", "logical_or", "logical_and"}


@dataclass(frozen=True)
class Totals:
    """The reductions of one pass, in order."""

    members: tuple[Node, ...]

    @property
    def needs(self) -> list[Value]:
        """What is reduced."""
        return [node.operands[0] for node in self.members]


def find(graph: Graph, generated: set[Node], fixed: set[str]) -> dict[Node, Totals]:
    """The passes of a graph, by the node that begins each.

    `generated` are element-wise nodes; what is named in `fixed` may write into the arrays it takes.
    """
    place = {node: k for k, node in enumerate(graph.nodes)}
    # How many reductions come one after the other until a value is known: those of one level do not need each other.
    levels: dict[Node, int] = {}
    sources: dict[Value, frozenset[Value]] = {}
    # As bits: the nodes that may write into a value, and those of them that a node needs.
    writers: dict[Value, int] = {}
    behind: dict[Node, int] = {}
    count = 0
    passes: dict[tuple[object, bool, int], list[_Open]] = {}
    for node in graph.nodes:
        level = max((levels.get(v.node, 0) for v in node.operands), default=0)
        behind[node] = functools.reduce(or_, (behind.get(v.node, 0) for v in node.operands), 0)
        if node in generated:
            below = [_made_of(v, sources) for v in node.operands if v.type.shape]
            whole = all(v.type.shape == node.types[0].shape for v in node.operands if v.type.shape)
            made_of = frozenset[Value]().union(*below) if whole and all(below) else frozenset()
            sources.update(dict.fromkeys(node.values, made_of if len(made_of) <= _STREAMS else frozenset()))
        elif node.op.name in fixed:
            for operand in node.operands:
                writers[operand] = writers.get(operand, 0) | 1 << count
            behind[node] |= 1 << count
            count += 1
        of_rows = native_row_totals.is_of_rows(node) and node.operands[0].node not in generated
        if of_rows or _is_total(node):
            value, level = node.operands[0], level + 1
            read = frozenset([value]) if of_rows else _made_of(value, sources)
            several = passes.setdefault((value.type.shape, of_rows, level), [])
            for one in several:
                if one.takes(read, behind[node], writers, place):
                    one.add(node, read, behind[node])
                    break
            else:
                if read:
                    several.append(_Open([node], read, behind[node]))
        levels[node] = level
    found = [one.members for several in passes.values() for one in several if len(one.members) > 1]
    return {members[0]: Totals(tuple(members)) for members in found}


@dataclass
class _Open:
    """A pass that is being put together: its reductions, the arrays they read, and the writers they need, as bits."""

    members: list[Node]
    read: frozenset[Value]
    behind: int

    def takes(self, read: frozenset[Value], behind: int, writers: dict[Value, int], place: dict[Node, int]
              ) -> bool:  # fmt: skip
        """Whether one more reduction may be done with the first one."""
        both, begin = self.read | read, place[self.members[0]]
        if not read & self.read or len(self.members) == _MOST or len(both) > _STREAMS:
            return False
        # (Nor if one needs what may overwrite an array that another one reads.)
        overwrite = functools.reduce(or_, (writers.get(v, 0) for v in both))
        return not overwrite & (self.behind | behind) and all(place.get(v.node, -1) < begin for v in read)

    def add(self, node: Node, read: frozenset[Value], behind: int) -> None:
        self.members.append(node)
        self.read |= read
        self.behind |= behind


def _is_total(node: Node) -> bool:
    if node.op.name != "reduce" or node.types[0].shape:
        return False
    type, kind = node.operands[0].type, node.kw["kind"]
    if not extents.is_static(type.shape) or int(np.prod(type.shape, dtype=object)) < _LEAST:
        return False
    return kind in _KINDS and (type.dtype.kind in "iub" or type.dtype.kind == "f" and type.dtype.itemsize > 2)


def _made_of(value: Value, sources: dict[Value, frozenset[Value]]) -> frozenset[Value]:
    """The arrays that a value reads element for element; none where its elements may not lie in the order they count.

    (Such a formula is stored if several reductions read it.)
    """
    found = sources.get(value)
    if found is None:
        name = value.node.op.name
        found = frozenset() if name in VIEWS and name != "reshape" and value.type.ndim > 1 else frozenset([value])
    return found


def make(frame: Frame, totals: Totals) -> bool:
    """The pass, its results into `frame.selected`; False where the node that begins it is better done alone."""
    if frame.code.recording is not None:
        return False
    able: list[tuple[Node, Storage]] = []
    for node in totals.members:
        x = frame.values.get(node.operands[0]) if able else frame.working[0]
        if x is not None and _fits(x):
            able.append((node, x))
        elif not able:
            return False
    if len(able) < 2:
        return False
    found = reduced(frame.code, [(node.kw["kind"], x) for node, x in able])
    frame.selected.update({node.values[0]: scalar for (node, _), scalar in zip(able, found, strict=True)})
    return True


def alone(c: Code, kind: str, x: Storage) -> bool:
    """Whether a reduction is done so though it is the only one: an extremum of floats that are computed."""
    if kind not in ("maximum", "minimum") or x.dtype.kind != "f" or x.dtype.itemsize < 4:
        return False
    return c.recording is None and not isinstance(x, Strided) and _fits(x) and int(np.prod(x.bounds)) >= _LEAST


def _fits(x: Storage) -> bool:
    """Whether the elements of an array are made in one way, in the order in which they are counted."""
    if not all(isinstance(n, int) for n in x.shape) or boxes(x, x.shape) is not None:
        return False
    # (An index on an axis of length 1 is taken for 0 where arrays broadcast.)
    return len(x.shape) == 1 or x.shape[-1] != 1 and flat(x, x.shape)


def reduced(c: Code, several: Sequence[tuple[str, Storage]]) -> list[Scalar]:
    """The results of reductions, each by its kind, of arrays of one size."""
    one = _Pass(c, several)
    with c.statement():
        values = one.values()
    return [Scalar(x.dtype, (value,)) for x, value in zip(one.xs, values, strict=True)]


class _Pass:
    """Reductions of arrays of one size, done block by block."""

    def __init__(self, c: Code, several: Sequence[tuple[str, Storage]]):
        self.c = c
        self.kinds = [kind for kind, _ in several]
        self.xs = [nests.truths(x) if kind.startswith("logical") else x for kind, x in several]
        self.columns = [self._column(kind, x) for kind, x in zip(self.kinds, self.xs, strict=True)]
        self.rank = len(self.xs[0].shape)
        self.n = int(np.prod(self.xs[0].bounds, dtype=object))

    def values(self) -> list[str]:
        """A register for each reduction."""
        each = sum(nests.work(x) for x in self.xs)
        found = list(native_sums.halves(self.c, self.columns, 1, self.n, self.n, self._block, each))
        for k, (kind, x) in enumerate(zip(self.kinds, self.xs, strict=True)):
            if kind == "add" and x.dtype.kind == "f":
                # NumPy's sum begins with zero.
                found[k] = self.columns[k].combine(self.c, literal(0, x.dtype)[0], found[k])
        return found

    def _column(self, kind: str, x: Storage) -> native_sums.Column:
        if kind == "add" and x.dtype.kind == "f":
            return native_sums.added(x.dtype)
        combine = nests.accumulation(kind, x.dtype)
        return native_sums.Column(register(x.dtype), lambda c, a, b: combine(c, (a,), (b,))[0])

    def _place(self, k: Index) -> tuple[Index, ...]:
        return (*(0,) * (self.rank - 1), k)

    def _block(self, first: Index, count: Index) -> Element:
        """The results of the elements from number `first` on, at most as many as a sum adds without halving."""
        c = self.c
        blocks: dict[int, str] = {}
        slots: dict[int, list[str]] = {}
        for k, (kind, x) in enumerate(zip(self.kinds, self.xs, strict=True)):
            if x.dtype.kind != "f":
                slots[k] = nests.variable(c, x.dtype, nests.identity(kind, x.dtype))
            elif not self._neighbours(x):
                blocks[k] = c.scratch(f"block {k}", register(x.dtype), native_sums.BLOCK)
        if blocks or slots:
            with c.loop(0, count) as i:
                at, seen = self._place(c.add(first, i)), dict[object, object]()
                for k, x in enumerate(self.xs):
                    if k in blocks:
                        native_sums.put(c, x.dtype, [blocks[k]], i, x.element(c, at, seen))
                    elif k in slots:
                        (old,), (new,) = nests.read(c, x.dtype, slots[k]), x.element(c, at, seen)
                        nests.assign(c, x.dtype, slots[k], (self.columns[k].combine(c, old, new),))
        found = []
        for k, (kind, x) in enumerate(zip(self.kinds, self.xs, strict=True)):
            if k in slots:
                found.append(nests.read(c, x.dtype, slots[k])[0])
                continue
            memory = blocks.get(k)
            if memory is None:
                assert isinstance(x, Strided)
                memory = c.address(c.pointer(x.buffer), x.dtype, x.place(c, self._place(first)))
            function = native_sums.block_sum(c, x.dtype, 8) if kind == "add" else native_peaks.row(c, x.dtype, kind)
            found.append(c.emit(f"call {register(x.dtype)} @{function}(ptr {memory}, i64 {count})"))
        return tuple(found)

    def _neighbours(self, x: Storage) -> bool:
        """Whether elements that follow each other are neighbours in memory."""
        return isinstance(x, Strided) and (self.rank > 1 or x.strides == (1,))
