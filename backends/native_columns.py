"""Sums of the columns of a matrix, each in the order of additions of a sum of that column alone.

That order (`native_sums`) is the same for all columns: the additions of several columns are done side by side, along
memory where the rows of the matrix are.
"""

from __future__ import annotations

from lazyarr.backends import native_nests as nests
from lazyarr.backends import native_sums
from lazyarr.backends.native_emit import Code, Element, Index, literal, register
from lazyarr.backends.native_frame import Frame
from lazyarr.backends.native_storage import Storage, Strided
from lazyarr.ir.node import Node

#: Columns that are added side by side: as many as there are, or the last ones again with those before them.
_WIDTHS = (16, 4, 1)
#: Accumulators of NumPy's sums.
_ACCUMULATORS = 8
#: Terms that an accumulator gets before it is stored, where that is most of the work.
_TERMS = 2


def column_sums(frame: Frame, node: Node, given: list[Storage]) -> list[Storage]:
    """The rule of the operation of that name."""
    shape, bounds = frame.shape(node.types[0])
    target = frame.lowering.allocate(node.types[0].dtype, shape, bounds)
    code, x, count = frame.code, given[0], shape[0]
    rows = float(x.bounds[0])
    with code.statement():
        for k, width in enumerate(_WIDTHS):
            above = _WIDTHS[k - 1] if k else bounds[0] + 1
            if bounds[0] < width or (isinstance(count, int) and not width <= count < above):
                continue
            if isinstance(count, int):
                _tiles(code, x, target, width, rows)
                continue
            enough = code.emit(f"icmp sge i64 {count}, {width}")
            if k:
                enough = code.emit(f"and i1 {enough}, {code.emit(f'icmp slt i64 {count}, {above}')}")
            with code.when(enough):
                _tiles(code, x, target, width, rows)
    return [target]


def _tiles(c: Code, x: Storage, target: Strided, width: int, rows: float) -> None:
    """Sums of at least `width` columns, so many at a time."""
    count, bound = target.shape[0], target.bounds[0]
    tiles = -(-count // width) if isinstance(count, int) else c.emit(f"udiv i64 {c.add(count, width - 1)}, {width}")
    with nests.spread(c, (tiles,), (-(-bound // width),), x, [target.buffer, *x.buffers], width * rows) as (tile,):
        first = c.minimum(c.mul(tile, width), c.sub(count, width))
        if width == 1:
            column = native_sums.sum_row(c, x, x.shape[0], x.bounds[0], lambda k: (k, first))
            target.put(c, (first,), (c.emit(f"fadd {register(x.dtype)} {column[0]}, {literal(0, x.dtype)[0]}"),))
            return
        for k, value in enumerate(_Tile(c, x, first, width).sums()):
            target.put(c, (c.add(first, k),), (value,))


class _Tile:
    """The sums of `width` columns from number `column` on."""

    def __init__(self, c: Code, x: Storage, column: Index, width: int):
        self.c, self.x, self.column, self.width = c, x, column, width
        self.type = register(x.dtype)
        self.found = c.scratch("sums of columns", self.type, width)
        self.partial = [c.scratch(f"partial sums {k}", self.type, width) for k in range(_ACCUMULATORS)]

    def sums(self) -> Element:
        """One a column."""
        zero = literal(0, self.x.dtype)[0]
        found = native_sums.tree(self.c, self.x.dtype, self.x.shape[0], self.x.bounds[0], self._leaf, self.width)
        return tuple(self.c.emit(f"fadd {self.type} {value}, {zero}") for value in found)

    def _leaf(self, first: Index, count: Index) -> Element:
        """The sums of up to 128 rows."""
        c, rows, x = self.c, _ACCUMULATORS, self.x
        whole = count - count % rows if isinstance(count, int) else c.emit(f"and i64 {count}, {-rows}")
        # The zero that changes nothing: a sum of fewer rows begins with it, too.
        nothing = literal(-0.0, x.dtype)[0]
        with c.loop(0, self.width) as j:
            for array in self.partial:
                self._store(array, j, nothing)
        several = rows * (_TERMS if self.width == _WIDTHS[0] else 1)
        most = whole - whole % several if isinstance(whole, int) else c.emit(f"and i64 {whole}, {-several}")
        for begin, end, step in ((0, most, several), (most, whole, rows)):
            if begin != end:
                with c.loop(begin, end, step) as at:
                    self._add(c.add(first, at), step // rows)
        with c.loop(0, self.width) as j:
            values = [self._load(array, j) for array in self.partial]
            while len(values) > 1:
                values = [self._plus(a, b) for a, b in zip(values[::2], values[1::2], strict=True)]
            self._store(self.found, j, values[0])
        with c.loop(whole, count) as k:
            row = c.add(first, k)
            with c.loop(0, self.width) as j:
                self._store(self.found, j, self._plus(self._load(self.found, j), self._term(row, j)))
        return tuple(self._load(self.found, j) for j in range(self.width))

    def _add(self, row: Index, terms: int) -> None:
        """Add rows from number `row` on, so many terms to each accumulator."""
        c = self.c
        with c.loop(0, self.width) as j:
            for k, array in enumerate(self.partial):
                total = self._load(array, j)
                for term in range(terms):
                    total = self._plus(total, self._term(c.add(row, k + _ACCUMULATORS * term), j))
                self._store(array, j, total)

    def _term(self, row: Index, j: Index) -> str:
        return self.x.element(self.c, (row, self.c.add(self.column, j)), {})[0]

    def _plus(self, a: str, b: str) -> str:
        return self.c.emit(f"fadd {self.type} {a}, {b}")

    def _place(self, array: str, j: Index) -> str:
        return self.c.emit(f"getelementptr inbounds {self.type}, ptr {array}, i64 {j}")

    def _load(self, array: str, j: Index) -> str:
        return self.c.emit(f"load {self.type}, ptr {self._place(array, j)}")

    def _store(self, array: str, j: Index, value: str) -> None:
        self.c.do(f"store {self.type} {value}, ptr {self._place(array, j)}")

