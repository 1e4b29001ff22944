"""The array statements of a loop's iteration, and several iterations, as one pass over memory.

``for t in range(steps): v[1:-1] = f(u); u[1:-1] = f(v)`` reads and writes both arrays in each iteration. Here all
statements (of several iterations, where nothing else happens in them) advance together along the first axis: rows of a
later statement are computed as soon as the rows they are made of are there, while those are in the cache.
`Statement.accesses` says which rows each statement touches; where all distances are constants, `Shifts` says by how
many rows each statement has to stay behind.

Threads take slabs of rows. Within a slab each statement leaves out, at both ends, what is made of another slab's rows;
these strips are done when all slabs are. So there are two forks for many statements.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lazyarr.backends import native_nests as nests
from lazyarr.backends import native_threads
from lazyarr.backends.native_emit import Code, Index
from lazyarr.backends.native_patched import Patched
from lazyarr.backends.native_plan import generated
from lazyarr.backends.native_storage import Buffer, Pointwise, Rolled, Storage, Strided, View
from lazyarr.backends.native_varying import Varying
from lazyarr.ir import extents
from lazyarr.ir.graph import Graph
from lazyarr.ir.node import Node, Value

#: Iterations of the loop that are done in one pass, at most.
MOST_STEPS = 16
#: Bytes of the rows that are worked on: what the first cache holds if there are enough rows in it, else the second.
_FIRST, _SECOND = 24_000, 400_000
#: Rows from which on it is worth while.
FEW_ROWS = 24
_MOST_STATEMENTS = 12
#: Operations that generate nothing, or a nest that passes over whole arrays.
_PLAIN = {"const", "slice", "expand", "full", "update_slice", "roll", "broadcast"}
_FAR = 1 << 40

#: For each buffer, the indices on one axis that are touched, relative to something; None: any.
Touched = dict[Buffer, set[int | None]]
#: A recorded nest: ``target[...] = source``.
Fill = tuple[Strided, Storage]


class Impossible(Exception):
    """A statement touches rows at distances that are not constant."""


def plain(body: Graph, constants: set[Value]) -> bool:
    """Whether an iteration is nothing but statements on whole arrays, and scalars made of scalars and `constants`."""
    return not body.checks and all(_plain(node, constants) for node in body.nodes)


def _plain(node: Node, constants: set[Value]) -> bool:
    if not all(extents.is_static(v.type.shape) for v in (*node.operands, *node.values)):
        return False
    if node.op.name == "window":
        return not node.types[0].shape and node.operands[0] in constants
    return node.op.name in _PLAIN or generated(node)


@dataclass(eq=False)
class Statement:
    """A nest that writes row ``i`` of a buffer in its ``i - first``-th iteration.

    Attributes
    ----------
    low, high : int
        The rows of the buffer that are written: from `low` to before `high`.
    accesses : dict of Buffer to set of (int or None)
        For each buffer, the rows that are touched for row ``i``, relative to it; None: any.
    turn : dict of Buffer to Buffer
        Buffers that stand for others in this iteration: arrays take turns.
    """

    target: Strided
    source: Storage
    turn: dict[Buffer, Buffer]
    low: int = 0
    high: int = 0
    accesses: Touched = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.low, self.high, found = self.along(0)
        self.accesses = {self.turn.get(b, b): rows for b, rows in found.items()}

    def along(self, axis: int) -> tuple[int, int, Touched]:
        """What is written on an axis of the buffer, and what is touched for its index ``i``, relative to that."""
        own = [m for m in self.target.map if m.axis == axis]
        static = all(isinstance(n, int) for n in (*self.target.shape, *self.target.base))
        if not own or own != [self.target.map[axis]] or own[0].step != 1 or not isinstance(own[0].start, int):
            raise Impossible
        if not static:
            raise Impossible
        low = own[0].start
        found: Touched = {}
        seen: set[tuple[Storage, int | None, int]] = set()
        for x in (self.target, self.source):
            _touch(found, seen, axis, x, axis, 0)
        relative = {b: {None if r is None else r - low for r in rows} for b, rows in found.items()}
        return low, low + self.target.bounds[axis], relative

    @property
    def written(self) -> Buffer:
        return self.turn.get(self.target.buffer, self.target.buffer)


def _touch(
    found: Touched, seen: set[tuple[Storage, int | None, int]], wanted: int, x: Storage, axis: int | None, offset: int,
) -> None:  # fmt: skip
    """Note which indices of axis `wanted` of buffers are read for `x` at index ``k + offset`` on `axis`, less k.

    None: any; without an axis `x` is read at any index. `seen` holds what has been noted: formulas share parts.
    """
    if (x, axis, offset) in seen:
        return
    seen.add((x, axis, offset))
    if axis is not None and isinstance(x, Strided):
        along = [k for k, m in enumerate(x.map) if m.axis == axis]
        start, step = (x.map[wanted].start, x.map[wanted].step) if along == [wanted] else (None, 0)
        fits = isinstance(start, int) and step == 1
        found.setdefault(x.buffer, set()).add(start + offset if fits and isinstance(start, int) else None)
    elif axis is not None and isinstance(x, View):
        along = [k for k, m in enumerate(x.map) if m.axis == axis]
        m = x.map[along[0]] if len(along) == 1 else None
        if m is not None and m.step == 1 and isinstance(m.start, int):
            _touch(found, seen, wanted, x.inner, along[0], offset + m.start)
        else:
            _touch(found, seen, wanted, x.inner, None, 0)
    elif axis is not None and isinstance(x, Pointwise):
        for y in x.operands:
            own = axis - (len(x.shape) - len(y.shape))
            same = own >= 0 and (y.shape[own] != 1 or x.shape[axis] == 1)
            _touch(found, seen, wanted, y, own if same else None, offset)
    elif axis is not None and isinstance(x, Patched):
        _touch(found, seen, wanted, x.inner, axis, offset)
        m = x.map[axis]
        _touch(found, seen, wanted, x.value, m.axis if m.axis >= 0 else None, offset - x.spans[axis][0])
    elif axis is not None and isinstance(x, Rolled) and x.axis != axis:
        _touch(found, seen, wanted, x.inner, axis, offset)
    else:
        for buffer in x.buffers:
            found.setdefault(buffer, set()).add(None)


def _distances(first: Statement, second: Statement) -> Iterator[int]:
    """For row i of the second: rows i + d of the first that touch the same memory, one of them writing."""
    for writer, other, sign in ((first, second, 1), (second, first, -1)):
        rows = other.accesses.get(writer.written, ())
        if rows and arrays_seen(other, writer.written) != {(writer.target.base, writer.target.dtype)}:
            raise Impossible
        for row in rows:
            if row is None:
                raise Impossible
            yield sign * row


def arrays_seen(statement: Statement, buffer: Buffer) -> set[tuple[tuple[Index, ...], np.dtype[Any]]]:
    """The shapes and dtypes that a statement sees a buffer with."""
    found: set[tuple[tuple[Index, ...], np.dtype[Any]]] = set()
    stack: list[Storage] = [statement.target, statement.source]
    while stack:
        x = stack.pop()
        if isinstance(x, Strided):
            if statement.turn.get(x.buffer, x.buffer) is buffer:
                found.add((x.base, x.dtype))
        else:
            stack += [x.inner] if isinstance(x, View) else list(getattr(x, "operands", ()))
    return found


class Shifts:
    """By how many rows statements stay behind, and what they leave out at the beginning of a slab.

    Attributes
    ----------
    behind, after : list of int
        Of each statement: rows behind, and rows left out.
    more_behind, more_after : int
        What is added with each repetition.
    farthest : int
        The largest distance of rows of two statements that touch the same memory.
    """

    def __init__(self, statements: Sequence[Statement]):
        n = len(statements)
        self.behind, self.after = [0] * n, [0] * n
        apart = [[list(_distances(a, b)) for b in statements] for a in statements]
        for k in range(n):
            for j in range(k):
                for d in apart[j][k]:
                    self.behind[k] = max(self.behind[k], self.behind[j] + d)
                    self.after[k] = max(self.after[k], self.after[j] - d)
        pairs = [(j, k, d) for j in range(n) for k in range(n) for d in apart[j][k]]
        self.more_behind = max([0, *(self.behind[j] + d - self.behind[k] for j, k, d in pairs)])
        self.more_after = max([0, *(self.after[j] - d - self.after[k] for j, k, d in pairs)])
        self.farthest = max([0, *(abs(d) for _, _, d in pairs)])


class Pass:
    """The statements of one iteration, or of as many as the arrays take to be back in their places.

    Attributes
    ----------
    iterations : int
        How many iterations of the loop a repetition is.
    most : int
        Repetitions that are done in one pass, at most.
    varying : sequence of Varying
        The numbers that are not the same in all iterations.
    """

    def __init__(self, fills: Sequence[Fill], turns: Sequence[dict[Buffer, Buffer]], repeated: bool,
                 varying: Sequence[Varying] = ()):  # fmt: skip
        self.varying = varying
        self.iterations = len(turns)
        self.statements = [Statement(target, source, turn) for turn in turns for target, source in fills]
        self.shifts = Shifts(self.statements)
        self.low = min(s.low for s in self.statements)
        self.high = max(s.high for s in self.statements)
        rows = self.high - self.low
        work = sum(nests.work(s.source) * float(np.prod([float(b) for b in s.target.bounds])) for s in self.statements)
        per = self.shifts.more_behind + self.shifts.more_after
        own = max(self.shifts.behind) + max(self.shifts.after)
        most = max(1, MOST_STEPS // self.iterations) if repeated else 1
        self.slabs = 1
        threads = native_threads.threads()
        if threads > 1 and most * work > nests.WORTH and rows >= nests.FEW * threads:
            self.slabs = threads
        # What is left out at the ends of slabs is done by fewer threads.
        share = rows // (10 * (self.slabs - 1)) if self.slabs > 1 else rows // 4
        self.most = max(1, min(most, (share - own) // per if per else most))
        width = -(-rows // self.slabs)
        if self.slabs > 1 and width <= 2 * (own + self.most * per) + self.shifts.farthest:
            self.slabs = 1
        if self.slabs > 1 and self.most * work <= nests.WORTH:
            self.slabs = 1
        self.width = -(-rows // self.slabs)
        row = sum(_row_bytes(s) for s in {s.written: s for s in self.statements}.values()) + sum(
            _row_bytes(s) for s in self.statements[: len(fills)]
        )
        lag = max(self.shifts.behind) + (self.most - 1) * self.shifts.more_behind
        budget = _FIRST if _FIRST // row >= 4 * lag + 8 else _SECOND
        self.block = max(budget // row - lag, lag, 1)

    @staticmethod
    def find(fills: Sequence[Fill], turns: Sequence[dict[Buffer, Buffer]], repeated: bool,
             varying: Sequence[Varying] = ()) -> Pass | None:  # fmt: skip
        """The pass, where all distances are known and it is worth while."""
        if not fills or len(fills) * len(turns) > _MOST_STATEMENTS or (not repeated and len(fills) < 2):
            return None
        if any(not target.shape or 0 in target.bounds for target, _ in fills):
            return None
        try:
            found = Pass(fills, turns, repeated, varying)
        except Impossible:
            return None
        if found.high - found.low < FEW_ROWS or (found.most * found.iterations == 1 and len(fills) < 2):
            return None
        return found

    def emit(self, code: Code, times: Index) -> None:
        """The pass, with that many repetitions."""
        q = self.slabs
        with code.statement():
            for s in self.statements:
                for buffer in s.accesses:
                    code.pointer(buffer)
            part: list[str] = []
            with code.function(part) as (first, last), code.loop(first, last) as number:
                self._slab(code, number, times)
            code.run(part, 0, q, shared=q > 1)
            if q > 1:
                code.run(part, q, 2 * q - 1, shared=True)

    def _slab(self, code: Code, number: str, times: Index) -> None:
        """A slab, or, for numbers from `slabs` on, the strip after one."""
        shifts, q, w = self.shifts, self.slabs, self.width
        lag = code.add(code.mul(code.sub(times, 1), shifts.more_behind), max(shifts.behind))
        end = code.add(self.high, lag)
        strip = code.emit(f"icmp sge i64 {number}, {q}")

        def choose(condition: str, x: Index, y: Index) -> Index:
            return code.emit(f"select i1 {condition}, i64 {x}, i64 {y}")

        begin = code.add(code.mul(number, w), self.low)
        border = code.add(code.mul(code.sub(number, q), w), self.low + w)
        is_first = code.emit(f"icmp eq i64 {number}, 0")
        is_last = code.emit(f"icmp eq i64 {number}, {q - 1}")
        left = choose(is_first, -_FAR, begin)
        right = choose(is_last, end, code.add(begin, w))
        # A strip is one block.
        begin, right = choose(strip, 0, begin), choose(strip, 1, right)
        with code.loop(begin, right, self.block) as t0:
            t1 = code.minimum(code.add(t0, self.block), right)
            with code.loop(0, times) as p:
                behind = code.mul(p, shifts.more_behind)
                after = code.mul(p, shifts.more_after)
                low = choose(strip, code.sub(border, behind), code.sub(t0, behind))
                high = choose(strip, code.add(border, after), code.sub(t1, behind))
                out = choose(strip, -_FAR, code.add(left, after))
                for k, s in enumerate(self.statements):
                    own_high = choose(strip, code.add(high, shifts.after[k]), code.sub(high, shifts.behind[k]))
                    own_low = code.maximum(code.sub(low, shifts.behind[k]), code.add(out, shifts.after[k]))
                    lowest, highest = code.maximum(own_low, s.low), code.minimum(own_high, s.high)
                    iteration = code.add(code.mul(p, self.iterations), k // (len(self.statements) // self.iterations))
                    with code.scope(), code.standing(s.turn), ExitStack() as numbers:
                        for x in self.varying:
                            numbers.enter_context(x.during(iteration))
                        nests.fill_rows(code, s.target, s.source, code.sub(lowest, s.low), code.sub(highest, s.low))


def _row_bytes(statement: Statement) -> int:
    return int(np.prod([int(b) for b in statement.target.bounds[1:]])) * statement.target.dtype.itemsize
