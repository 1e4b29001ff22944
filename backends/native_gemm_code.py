"""The function that multiplies two matrices: what is packed when, and which thread does what (`native_gemm`).

Both factors are packed into panels, of which a kernel (`native_gemm_kernels`) adds up a block of the result in
registers, as Goto and van de Geijn have it (Anatomy of high-performance matrix multiplication, ACM Trans. Math. Softw.
34, 2008). Blocks of the result are shared among threads; the bits of an element depend neither on them, nor on where
it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lazyarr.backends.native_emit import Code, Index
from lazyarr.backends.native_gemm_kernels import ROWS, VECTORS, Vector, define, up
from lazyarr.backends.native_module import Module

#: Terms of each sum that are packed at a time: a panel of either factor stays in the first cache, or nearly.
_TERMS = 256
#: Rows and columns that are packed at a time at most, multiples of those of all kernels.
_MOST_ROWS, _MOST_COLUMNS = 2048, 4080
#: Panels of rows and of columns that are a thread's least share.
_PANELS = 8, 4
#: Rows up to which the second factor is read where it is: it would be packed for too few.
FEW = 32
#: Bytes of a second factor from which on it comes from memory: for the rows of one panel it is then read row by row, in
#: pieces of so many bytes.
_FAR, _PIECE = 1 << 23, 2048
#: Multiplications from which on threads share them.
_WORTH = 1 << 19


def room(dtype: np.dtype[Any], m: int, n: int, k: int) -> int:
    """Elements of working memory that the product of an ``m x k`` and a ``k x n`` matrix needs."""
    columns = VECTORS * Vector(dtype).lanes
    rows = -(-min(m, _MOST_ROWS) // ROWS) * ROWS
    return (rows + -(-min(n, _MOST_COLUMNS) // columns) * columns) * min(k, _TERMS)


def text(dtype: np.dtype[Any], name: str) -> str:
    """The code, as LLVM has it."""
    module, v = Module(), Vector(dtype)
    define(module, v)
    code = Code(module)
    _product(code, v)
    module.functions.append(f"define void @{name}(ptr %p0) {{\n{code.body()}\n}}")
    return str(module)


def _product(c: Code, v: Vector) -> None:
    """The function: pack, multiply, for one block of the factors after the other."""
    columns = VECTORS * v.lanes

    def word(k: int, kind: str = "i64") -> str:
        return c.emit(f"load {kind}, ptr {c.emit(f'getelementptr inbounds i64, ptr %p0, i64 {k}')}")

    def at(pointer: str, *offsets: Index) -> str:
        where: Index = 0
        for offset in offsets:
            where = c.add(where, offset)
        return v.at(c, pointer, where)

    def both(x: str, y: str) -> str:
        return c.emit(f"and i1 {x}, {y}")

    a, b, target, memory = (word(k, "ptr") for k in (0, 3, 6, 11))
    (a_row, a_column), (b_row, b_column), apart = (word(1), word(2)), (word(4), word(5)), word(7)
    m, n, k = (word(i) for i in (8, 9, 10))
    worth = c.emit(f"icmp sgt i64 {c.mul(c.mul(m, n), k)}, {_WORTH}")
    direct = both(c.emit(f"icmp eq i64 {b_column}, 1"), c.emit(f"icmp sle i64 {m}, {FEW}"))
    # (Kernels take the distance 0 for a packed panel; one row that is repeated is short work to pack.)
    direct = both(direct, c.emit(f"icmp ne i64 {b_row}, 0"))
    # (The sums of what streams stand where the second factor would be packed.)
    few = both(c.emit(f"icmp sle i64 {m}, {ROWS}"), c.emit(f"icmp sge i64 {k}, {_TERMS}"))
    large = c.emit(f"icmp sgt i64 {c.mul(n, k)}, {_FAR // v.dtype.itemsize}")
    streams = both(direct, both(few, large))
    panels = up(c, c.minimum(n, _MOST_COLUMNS), columns)
    second = at(memory, c.mul(c.mul(panels, columns), c.minimum(k, _TERMS)))
    with c.loop(0, n, _MOST_COLUMNS) as j0, c.loop(0, k, _TERMS) as k0, c.loop(0, m, _MOST_ROWS) as i0:
        terms = c.minimum(c.sub(k, k0), _TERMS)
        across, down = c.minimum(c.sub(n, j0), _MOST_COLUMNS), c.minimum(c.sub(m, i0), _MOST_ROWS)
        wide, high = up(c, across, columns), up(c, down, ROWS)
        add = c.emit(f"icmp sgt i64 {k0}, 0")
        # Panels of columns that are not packed.
        whole = c.emit(f"select i1 {direct}, i64 {c.emit(f'udiv i64 {across}, {columns}')}, i64 0")
        left_out = c.emit(f"select i1 {streams}, i64 {wide}, i64 {whole}")
        is_first = c.emit(f"icmp eq i64 {i0}, 0")
        count = c.add(high, c.emit(f"select i1 {is_first}, i64 {c.sub(wide, left_out)}, i64 0"))
        with c.span(count, worth) as (begin, end), c.loop(begin, end) as t:
            is_row = c.emit(f"icmp slt i64 {t}, {high}")
            yes, no, done = (c.new_label() for _ in range(3))
            c.branch(is_row, yes, no)
            c.start(yes)
            with c.scope():
                row = c.mul(t, ROWS)
                source = at(a, c.mul(c.add(i0, row), a_row), c.mul(k0, a_column))
                c.do(f"call void @pack_rows(ptr {source}, i64 {a_row}, i64 {a_column}, i64 {c.sub(down, row)}, "
                     f"i64 {terms}, ptr {at(second, c.mul(row, terms))})")  # fmt: skip
            c.go(done)
            c.start(no)
            with c.scope():
                column = c.mul(c.add(c.sub(t, high), left_out), columns)
                source = at(b, c.mul(k0, b_row), c.mul(c.add(j0, column), b_column))
                c.do(f"call void @pack_columns(ptr {source}, i64 {b_row}, i64 {b_column}, i64 {c.sub(across, column)}, "
                     f"i64 {terms}, ptr {at(memory, c.mul(column, terms))})")  # fmt: skip
            c.go(done)
            c.start(done)
        near, far, done = (c.new_label() for _ in range(3))
        c.branch(streams, far, near)
        c.start(far)
        piece = _PIECE // v.dtype.itemsize
        with c.scope(), c.span(up(c, across, piece), None) as (begin, end), c.loop(begin, end) as t:
            column = c.mul(t, piece)
            source, place = at(b, c.mul(k0, b_row), c.add(j0, column)), at(target, c.add(j0, column))
            c.do(f"call void @stream(i64 {terms}, ptr {second}, ptr {source}, i64 {b_row}, ptr {place}, i64 {apart}, "
                 f"i64 {down}, i64 {c.minimum(c.sub(across, column), piece)}, i1 {add}, "
                 f"ptr {at(memory, c.mul(column, ROWS))})")  # fmt: skip
        c.go(done)
        c.start(near)
        blocks = up(c, wide, _PANELS[1])
        with c.scope(), c.span(c.mul(up(c, high, _PANELS[0]), blocks), worth) as (begin, end):
            with c.loop(begin, end) as t:
                i, j = (c.emit(f"{op} i64 {t}, {blocks}") for op in ("udiv", "urem"))
                top, left = c.mul(i, _PANELS[0]), c.mul(j, _PANELS[1])
                bottom = c.minimum(c.add(top, _PANELS[0]), high)
                right = c.minimum(c.add(left, _PANELS[1]), wide)
                with c.loop(left, right) as p, c.loop(top, bottom) as q:
                    column, row = c.mul(p, columns), c.mul(q, ROWS)
                    place = at(target, c.mul(c.add(i0, row), apart), c.add(j0, column))
                    is_there = c.emit(f"icmp slt i64 {p}, {left_out}")
                    source = at(b, c.mul(k0, b_row), c.add(j0, column))
                    packed = at(memory, c.mul(column, terms))
                    factor = c.emit(f"select i1 {is_there}, ptr {source}, ptr {packed}")
                    step = c.emit(f"select i1 {is_there}, i64 {b_row}, i64 0")
                    given = [f"i64 {terms}", f"ptr {at(second, c.mul(row, terms))}", f"ptr {factor}", f"i64 {step}",
                             f"ptr {place}", f"i64 {apart}"]  # fmt: skip
                    _call_kernel(c, v, given, c.sub(down, row), c.sub(across, column), add)
        c.go(done)
        c.start(done)
    c.do("ret void")


def _call_kernel(c: Code, v: Vector, given: Sequence[str], rows: Index, columns: Index, add: str) -> None:
    """The least kernel that has so many rows and columns, or the largest."""
    end, high = c.new_label(), 1
    while high <= ROWS:
        following = c.new_label() if high < ROWS else ""
        if following:
            fits = c.new_label()
            c.branch(c.emit(f"icmp sle i64 {rows}, {high}"), fits, following)
            c.start(fits)
        for vectors in range(1, VECTORS + 1):
            wider = c.new_label() if vectors < VECTORS else ""
            if wider:
                here = c.new_label()
                c.branch(c.emit(f"icmp sle i64 {columns}, {vectors * v.lanes}"), here, wider)
                c.start(here)
            c.do(f"call void @kernel_{high}_{vectors}({', '.join(given)}, i64 {rows}, i64 {columns}, i1 {add})")
            c.go(end)
            if wider:
                c.start(wider)
        if following:
            c.start(following)
        high *= 2
    c.start(end)
