"""Statements outside loops that read each other's neighbours: done tile by tile, without storing what lies between.

``lap = f(u); flux = g(lap); out = h(flux)`` reads and writes whole arrays between its statements. Here a tile of the
results is computed from beginning to end before the next one: of what lies between, as much as the tile needs is in
memory that each thread has for itself, and that stays in the cache. What is at the border of two tiles is computed for
both (overlapped tiling: Krishnamoorthy et al., "Effective automatic parallelization of stencil computations", PLDI
2007).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

import numpy as np

from lazyarr.backends import native_math, native_modulus, native_periodic, native_streams, native_threads
from lazyarr.backends import native_nests as nests
from lazyarr.backends.native_emit import Code, Index
from lazyarr.backends.native_patched import boxes
from lazyarr.backends.native_steps import FEW_ROWS, Impossible, Statement, Touched, arrays_seen
from lazyarr.backends.native_storage import Buffer, Pointwise, Storage, Strided, View

#: Bytes of the elements that a thread works on: what the first cache holds, the second, or its part of the third.
_CACHES = 24_000, 200_000, 4_000_000
#: How much more work it may be that elements at borders of tiles are computed twice.
_TWICE = 1.6
#: Bytes of arrays between statements from which on their way to memory and back is felt.
BEYOND = 1 << 20
_MOST_STATEMENTS, _MOST_BUFFERS = 12, 16
#: Elements of the last axis from which on rows are loops worth vectors.
_ROW = 32
#: Columns of a tile at least, where they are the last axis.
_STRIP = 512
#: From where to before where.
Span = tuple[Index, Index]


def statement(code: Code, target: Strided, source: Storage) -> Statement | None:
    """A statement that may be part of tiles; None for another one."""
    if code.recording is not None or code.part is not None or not target.shape:
        return None
    if not all(isinstance(n, int) and n > 0 for n in (*target.shape, *target.base)) or target.buffer in source.buffers:
        return None
    if (len(target.shape) > 1 and int(target.shape[-1]) < _ROW) or int(target.shape[0]) < FEW_ROWS:
        return None
    if source.shape != target.shape or native_modulus.has_comparison(source):
        return None
    if code.large and boxes(source, target.shape) is not None:
        # Code for each box: in a long program nests of their own are compiled once for all that are equal.
        return None
    if native_periodic.repeated(source, target) is not None:
        return None
    try:
        return Statement(target, source, {})
    except Impossible:
        return None


def joins(statements: Sequence[Statement], new: Statement) -> bool:
    """Whether a statement reads what others of a group read or write, and may be one of them."""
    writers = {s.written: s for s in statements}
    used = {b for s in statements for b in s.accesses}
    if len(statements) == _MOST_STATEMENTS or not used & new.accesses.keys():
        return False
    if new.written in used or len(used | new.accesses.keys()) > _MOST_BUFFERS:
        return False
    for buffer in writers.keys() & new.accesses.keys():
        target = writers[buffer].target
        if None in new.accesses[buffer] or arrays_seen(new, buffer) != {(target.base, target.dtype)}:
            return False
    return True


class Tiles:
    """A group of statements, tile by tile.

    Parameters
    ----------
    statements : sequence of Statement
        In order; each but the first `joins` those before it.
    lasting : set of Buffer
        What is read after the group.
    own : set of Buffer
        What was allocated for the group: nobody needs what was there before.

    Attributes
    ----------
    rows, columns : Axis
        What statements write, and what tiles need of it, on the first axis and, where tiles are parts of rows, on the
        second.
    block, strip : int
        Rows and columns of a tile; no rows: it is not worth while.
    """

    def __init__(self, statements: Sequence[Statement], lasting: set[Buffer], own: set[Buffer]):
        self.rows = Axis({s: (s.low, s.high, s.accesses) for s in statements}, lasting)
        self.columns: Axis | None = None
        self.strip = 0
        self.statements = [s for s in statements if s in self.rows.needs]
        self.block, self.slabs = 0, 1
        self._local: dict[Statement, int] = {}
        passing = [s for s in self.statements if s.written not in lasting and s.target.is_whole and s.written in own]
        rows = self.rows.high - self.rows.low
        between = sum(_row_bytes(s) * (self.rows.spans[s][1] - self.rows.spans[s][0]) for s in passing)
        if not passing or between < BEYOND or rows < FEW_ROWS:
            return
        threads = native_threads.threads()
        work = sum(nests.work(s.source) * float(np.prod([float(b) for b in s.target.bounds])) for s in statements)
        self.slabs = threads if work > nests.WORTH and rows >= nests.FEW * threads else 1
        self._choose(lasting)
        if any(s.written in lasting and self._is_repeated(s) and _depends_on_place(s.source) for s in self.statements):
            self.block = 0
        for s in passing if self.block else ():
            low, high = self.rows.needs[s]
            self._local[s] = self.block + high - low
            s.written.hold(self.slabs * self._room(s))

    def _is_repeated(self, s: Statement) -> bool:
        """Whether elements of a statement are computed for two tiles."""
        return any(axis.needs[s] != (0, 0) for axis in (self.rows, self.columns) if axis is not None)

    def _choose(self, lasting: set[Buffer]) -> None:
        """How large a tile is, so that it stays in a cache and little is computed twice."""
        most = -(-(self.rows.high - self.rows.low) // self.slabs)
        width = sum(map(_row_bytes, self.statements))
        lag = self.rows.lag
        for size in _CACHES[:2]:
            block = min(size // width - lag, most)
            if block > 0 and block + lag <= _TWICE * block:
                self.block = block
                return
        columns = self._second(lasting)
        if columns is not None:
            n = columns.high - columns.low
            column = width // max(int(s.target.base[1]) for s in self.statements)
            last = len(self.statements[0].target.shape) == 2
            for size in _CACHES[1:]:
                # As wide as high, or with whole vectors.
                strip = max(int((size / column) ** 0.5) - columns.lag, _STRIP if last else 1)
                block = min(size // (column * (strip + columns.lag)) - lag, most)
                if strip < n and block > 0 and (block + lag) * (strip + columns.lag) <= _TWICE * block * strip:
                    self.block, self.strip, self.columns = block, strip, columns
                    return
        block = min(_CACHES[2] // width - lag, most)
        if block > 0 and block + lag <= _TWICE * block:
            self.block = block

    def _second(self, lasting: set[Buffer]) -> Axis | None:
        """The second axis, where tiles may be parts of rows."""
        if any(len(s.target.shape) < 2 for s in self.statements):
            return None
        try:
            return Axis({s: s.along(1) for s in self.statements}, lasting)
        except Impossible:
            return None

    def emit(self, code: Code) -> None:
        """All of it."""
        q, low, high = self.slabs, self.rows.low, self.rows.high
        width = -(-(high - low) // q)
        with code.statement():
            for buffer in dict.fromkeys(b for s in self.statements for b in s.accesses):
                code.pointer(buffer)
            part: list[str] = []
            with code.function(part) as (first, last), code.loop(first, last) as number:
                begin = code.add(code.mul(number, width), low)
                end = code.minimum(code.add(begin, width), high)
                if self.columns is None:
                    self._blocks(code, number, begin, end, None)
                else:
                    n = self.columns.high
                    with code.loop(self.columns.low, n, self.strip) as c0:
                        columns = c0, code.minimum(code.add(c0, self.strip), n)
                        self._blocks(code, number, begin, end, columns)
                if any(self._streams(s) for s in self.statements):
                    native_streams.fence(code)
            code.run(part, 0, q, shared=q > 1)

    def _blocks(self, code: Code, number: str, begin: Index, end: Index, columns: Span | None) -> None:
        """One block of rows after another."""
        places = {s: code.alloca("ptr") for s in self._local}
        turn = {s.written: Buffer(place, s.written.number, True) for s, place in places.items()}
        with code.loop(begin, end, self.block) as t0:
            t1 = code.minimum(code.add(t0, self.block), end)
            for s, place in places.items():
                row = _row_bytes(s)
                at = code.sub(code.mul(number, self._room(s)), code.mul(code.add(t0, self.rows.needs[s][0]), row))
                # (Not "inbounds": row 0 may lie before the memory that is there.)
                here = code.emit(f"getelementptr i8, ptr {code.pointer(s.written)}, i64 {at}")
                code.do(f"store ptr {here}, ptr {place}")
            with code.standing(turn):
                for s in self.statements:
                    with code.scope():
                        self._part(code, s, (t0, t1), columns)

    def _room(self, s: Statement) -> int:
        """Bytes of a thread's rows of a local array: no line of a cache is in two."""
        return -(-self._local[s] * _row_bytes(s) // 64) * 64

    def _streams(self, s: Statement) -> bool:
        """Whether what a statement writes goes past the caches."""
        if s in self._local or any(s.written in other.accesses for other in self.statements if other is not s):
            return False
        if self.columns is not None and len(s.target.shape) == 2:
            return False
        return native_streams.worth_it(s.target, s.source) and boxes(s.source, s.target.shape) is None

    def _part(self, code: Code, s: Statement, rows: Span, columns: Span | None) -> None:
        """What a tile needs of one statement."""
        first, last = self.rows.part(code, s, rows)
        across = self.columns.part(code, s, columns) if self.columns is not None and columns is not None else None
        if not self._streams(s):
            nests.fill_rows(code, s.target, s.source, first, last, across)
            return
        shape = s.target.shape
        if len(shape) == 1:
            native_streams.row(code, s.target, s.source, (), first, last)
            return
        with ExitStack() as loops:
            at = [loops.enter_context(code.loop(first, last, within=(0, int(shape[0]))))]
            if across is not None:
                at.append(loops.enter_context(code.loop(*across, within=(0, int(shape[1])))))
            rest = loops.enter_context(nests.nest(code, shape[len(at) : -1]))
            native_streams.row(code, s.target, s.source, (*at, *rest), 0, shape[-1])


class Axis:
    """What statements write on an axis, and what tiles need of that.

    Parameters
    ----------
    found : dict of Statement to (int, int, dict)
        In order, what `Statement.along` says of the axis.
    lasting : set of Buffer
        What is read after the group.

    Attributes
    ----------
    spans : dict of Statement to (int, int)
        The indices that each statement writes.
    needs : dict of Statement to (int, int)
        What a tile needs of it: from where to where beyond the tile's own indices.
    low, high : int
        The indices of what lasts.
    lag : int
        How many indices more than its own a tile needs, at most.
    """

    def __init__(self, found: Mapping[Statement, tuple[int, int, Touched]], lasting: set[Buffer]):
        self.spans = {s: (low, high) for s, (low, high, _) in found.items()}
        self.needs = _needs({s: touched for s, (_, _, touched) in found.items()}, lasting)
        ends = [span for s, span in self.spans.items() if s.written in lasting]
        self.low, self.high = min((a for a, _ in ends), default=0), max((b for _, b in ends), default=0)
        self.lag = max((high - low for low, high in self.needs.values()), default=0)

    def part(self, code: Code, s: Statement, tile: Span) -> Span:
        """The iterations of a statement that a tile needs."""
        (before, after), (low, high) = self.needs[s], self.spans[s]
        first, last = code.maximum(code.add(tile[0], before), low), code.minimum(code.add(tile[1], after), high)
        return code.sub(first, low), code.sub(last, low)


def _needs(touched: Mapping[Statement, Touched], lasting: set[Buffer]) -> dict[Statement, tuple[int, int]]:
    """What is needed for a tile of what each statement writes, from the last statement to the first."""
    needs = {s: (0, 0) for s in touched if s.written in lasting}
    writers = {s.written: s for s in touched}
    for s in reversed(list(touched)):
        if s not in needs:
            continue
        low, high = needs[s]
        for buffer in touched[s].keys() & writers.keys() - {s.written}:
            at = [k for k in touched[s][buffer] if k is not None]
            if len(at) < len(touched[s][buffer]):
                raise Impossible
            made = writers[buffer]
            known = needs.get(made, (low + at[0], high + at[0]))
            needs[made] = min(known[0], low + min(at)), max(known[1], high + max(at))
    return needs


def _depends_on_place(source: Storage) -> bool:
    """Whether the last bits of an element depend on where a loop begins: those of a function with a vector form do.

    Then what is computed twice may differ from what is kept.
    """
    seen, stack = {source}, [source]
    while stack:
        x = stack.pop()
        if isinstance(x, Pointwise) and x.operation in native_math.FUNCTIONS:
            return True
        inner = {x.inner} if isinstance(x, View) else set(getattr(x, "operands", ()))
        stack += inner - seen
        seen |= inner
    return False


def _row_bytes(s: Statement) -> int:
    """Bytes of a row of the array that a statement writes into."""
    return int(np.prod([int(n) for n in s.target.base[1:]])) * s.target.dtype.itemsize
