"""Products of matrices of our own: for processors whose vectors are wider than those that NumPy's BLAS knows to use.

Both factors are packed into panels, of which a kernel adds up a block of the result in registers, as Goto and van de
Geijn have it (Anatomy of high-performance matrix multiplication, ACM Trans. Math. Softw. 34, 2008); blocks of the
result are shared among threads. The code is one function for a dtype, compiled when a program calls it first.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from lazyarr.backends import native_engine, native_linked, native_threads
from lazyarr.backends.native_blas import address
from lazyarr.backends.native_emit import FORK, Code, Index, register
from lazyarr.backends.native_frame import Frame
from lazyarr.backends.native_module import Module
from lazyarr.backends.native_storage import Storage, Strided

#: OpenBLAS's names of processors for which it uses vectors of 32 bytes, or less.
_NARROW = ("HASWELL", "ZEN", "SANDYBRIDGE", "NEHALEM", "PRESCOTT", "EXCAVATOR", "PILEDRIVER")
#: Bytes of a vector, rows and vectors of the result that the kernel has in registers: 24 of 32, beside the factors.
_BYTES, _ROWS, _VECTORS = 64, 8, 3
#: Terms of each sum that are packed at a time: a panel of either factor stays in the first cache, or nearly.
_TERMS = 256
#: Rows and columns that are packed at a time at most, multiples of those of all kernels.
_MOST_ROWS, _MOST_COLUMNS = 2048, 4080
#: Panels of rows and of columns that are a thread's least share.
_PANELS = 8, 4
#: Multiplications from which on threads share them.
_WORTH = 1 << 19
#: Multiplications from which on it is faster than BLAS: packing takes its time.
LEAST = 48**3


@lru_cache(maxsize=1)
def is_faster() -> bool:
    """Whether NumPy's BLAS uses vectors of half the width that the processor has."""
    if not native_engine.has("avx512f"):
        return False
    found = native_linked.linked("numpy._core._multiarray_umath", "openblas_get_corename", "64_")
    if found is None:
        return False
    library: Any = native_linked.library("numpy._core._multiarray_umath")
    name = getattr(library, found[0])
    name.restype = ctypes.c_char_p
    return name().decode().upper() in _NARROW


def multiplies(a: Storage, b: Storage) -> bool:
    """Whether `matmul` takes ``a @ b``: matrices, the first one of any number of them, that are known to be large."""
    if a.dtype not in (np.float32, np.float64) or len(a.shape) < 2 or len(b.shape) != 2:
        return False
    if not all(isinstance(n, int) for n in (*a.shape, *b.shape)) or b.bounds[1] < 2 or b.bounds[0] < 2:
        return False
    rows = int(np.prod(a.bounds[:-1], dtype=object))
    return rows > 1 and rows * b.bounds[0] * b.bounds[1] >= LEAST and is_faster()


def matmul(frame: Frame, a: Storage, b: Storage, target: Strided) -> None:
    """``target = a @ b`` of what it `multiplies`."""
    frame.working.append(target)
    a, b = frame.stored(a), frame.stored(b)
    frame.working += [a, b]
    if _apart(a) is None:
        a = frame.materialize(a)
        frame.working.append(a)
    (k, n), m = b.bounds, int(np.prod(a.bounds[:-1]))
    size = room(a.dtype, m, n, k)
    memory = frame.lowering.allocate(a.dtype, (size,), (size,))
    c, name = frame.code, function(a.dtype)
    c.module.declare(name, f"declare void @{name}(ptr)")
    c.forks = True
    words: list[tuple[str, Index | None]] = []
    for x, apart in ((a, _apart(a)), (b, b.strides[0])):
        words += [("ptr", address(c, x)), ("i64", apart), ("i64", x.strides[-1])]
    words += [("ptr", address(c, target)), ("i64", n), ("i64", m), ("i64", n), ("i64", k), ("ptr", address(c, memory))]
    table = c.scratch("gemm", "i64", len(words))
    for at, (type, word) in enumerate(words):
        c.do(f"store {type} {word}, ptr {c.emit(f'getelementptr inbounds i64, ptr {table}, i64 {at}')}")
    c.do(f"call void @{name}(ptr {table})")


def _apart(x: Strided) -> Index | None:
    """How far the rows of one or several matrices are from one another; None where not all are evenly apart."""
    axes = [(n, stride) for n, stride in zip(x.bounds[:-1], x.strides[:-1], strict=True) if n != 1]
    for (_, outer), (n, inner) in pairwise(axes):
        if not isinstance(inner, int) or outer != n * inner:
            return None
    return axes[-1][1] if axes else 0


def _columns(dtype: np.dtype[Any]) -> int:
    """Columns of a panel."""
    return _VECTORS * _BYTES // dtype.itemsize


def room(dtype: np.dtype[Any], m: int, n: int, k: int) -> int:
    """Elements of working memory that the product of two matrices needs."""
    columns = _columns(dtype)
    rows = -(-min(m, _MOST_ROWS) // _ROWS) * _ROWS
    return (rows + -(-min(n, _MOST_COLUMNS) // columns) * columns) * min(k, _TERMS)


@lru_cache(maxsize=4)
def function(dtype: np.dtype[Any]) -> str:
    """The name of a function of one pointer, known to the linker: ``c = a @ b`` for float32 or float64.

    It points to twelve words: the address of a, its strides (in elements), the same of b, the address of c and how far
    its rows are apart (its columns are side by side), m, n and k of an ``m x k`` and a ``k x n`` matrix, and the
    address of working memory (`room`). c overlaps nothing else.
    """
    from lazyarr.backends import native_kept

    pool = native_threads.pool()
    code = native_kept.code(text(dtype), 2, {FORK: pool.entries[FORK]})
    # (Threads run it, and programs that were linked with it, as long as the process lasts.)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(code))
    name = _name(dtype)
    native_linked.set_address(name, native_linked.GEMM, code.address(name))
    return name


def _name(dtype: np.dtype[Any]) -> str:
    return f"lazyarr_gemm_f{dtype.itemsize}"


def link(name: str) -> bool:
    """Make a name known that an earlier process has found here; whether it is there."""
    for size in (4, 8):
        dtype = np.dtype(f"f{size}")
        if name == _name(dtype):
            return function(dtype) == name
    return False


def text(dtype: np.dtype[Any]) -> str:
    """The code, as LLVM has it."""
    module, type = Module(), register(dtype)
    lanes = _BYTES // dtype.itemsize
    vector = f"<{lanes} x {type}>"
    module.declare("fma", f"declare {vector} @llvm.fma.v{lanes}f{8 * dtype.itemsize}({vector}, {vector}, {vector})")
    module.declare("mload", f"declare {vector} @llvm.masked.load.{_suffix(dtype)}(ptr, i32, <{lanes} x i1>, {vector})")
    module.declare("mstore", f"declare void @llvm.masked.store.{_suffix(dtype)}({vector}, ptr, i32, <{lanes} x i1>)")
    module.declare("prefetch", "declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
    rows = _ROWS
    while rows:
        for vectors in range(1, _VECTORS + 1):
            _kernel(module, dtype, rows, vectors)
        rows //= 2
    _pack_rows(module, dtype)
    _pack_columns(module, dtype)
    code = Code(module)
    _product(code, dtype)
    module.functions.append(f"define void @{_name(dtype)}(ptr %p0) {{\n{code.body()}\n}}")
    return str(module)


def _suffix(dtype: np.dtype[Any]) -> str:
    return f"v{_BYTES // dtype.itemsize}f{8 * dtype.itemsize}.p0"


def _up(c: Code, n: Index, step: int) -> Index:
    """``ceil(n / step)``."""
    return c.emit(f"udiv i64 {c.add(n, step - 1)}, {step}")


def _product(c: Code, dtype: np.dtype[Any]) -> None:
    """The function itself: pack, multiply, for one block of the factors after the other."""
    type, columns = register(dtype), _columns(dtype)

    def word(k: int, kind: str = "i64") -> str:
        return c.emit(f"load {kind}, ptr {c.emit(f'getelementptr inbounds i64, ptr %p0, i64 {k}')}")

    def at(pointer: str, *offsets: Index) -> str:
        where: Index = 0
        for offset in offsets:
            where = c.add(where, offset)
        return c.emit(f"getelementptr {type}, ptr {pointer}, i64 {where}")

    a, b, target, memory = (word(k, "ptr") for k in (0, 3, 6, 11))
    (a_row, a_column), (b_row, b_column), apart = (word(1), word(2)), (word(4), word(5)), word(7)
    m, n, k = (word(i) for i in (8, 9, 10))
    size = c.mul(c.mul(m, n), k)
    worth = c.emit(f"icmp sgt i64 {size}, {_WORTH}")
    panels = _up(c, c.minimum(n, _MOST_COLUMNS), columns)
    second = at(memory, c.mul(c.mul(panels, columns), c.minimum(k, _TERMS)))
    with c.loop(0, n, _MOST_COLUMNS) as j0, c.loop(0, k, _TERMS) as k0, c.loop(0, m, _MOST_ROWS) as i0:
        terms = c.minimum(c.sub(k, k0), _TERMS)
        across, down = c.minimum(c.sub(n, j0), _MOST_COLUMNS), c.minimum(c.sub(m, i0), _MOST_ROWS)
        wide, high = _up(c, across, columns), _up(c, down, _ROWS)
        first = c.emit(f"icmp eq i64 {i0}, 0")
        count = c.add(high, c.emit(f"select i1 {first}, i64 {wide}, i64 0"))
        add = c.emit(f"icmp sgt i64 {k0}, 0")
        with c.span(count, worth) as (begin, end), c.loop(begin, end) as t:
            is_row = c.emit(f"icmp slt i64 {t}, {high}")
            yes, no, done = (c.new_label() for _ in range(3))
            c.branch(is_row, yes, no)
            c.start(yes)
            with c.scope():
                row = c.mul(t, _ROWS)
                source = at(a, c.mul(c.add(i0, row), a_row), c.mul(k0, a_column))
                c.do(f"call void @pack_rows(ptr {source}, i64 {a_row}, i64 {a_column}, i64 {c.sub(down, row)}, "
                     f"i64 {terms}, ptr {at(second, c.mul(row, terms))})")  # fmt: skip
            c.go(done)
            c.start(no)
            with c.scope():
                column = c.mul(c.sub(t, high), columns)
                source = at(b, c.mul(k0, b_row), c.mul(c.add(j0, column), b_column))
                c.do(f"call void @pack_columns(ptr {source}, i64 {b_row}, i64 {b_column}, i64 {c.sub(across, column)}, "
                     f"i64 {terms}, ptr {at(memory, c.mul(column, terms))})")  # fmt: skip
            c.go(done)
            c.start(done)
        beside = _up(c, wide, _PANELS[1])
        with c.span(c.mul(_up(c, high, _PANELS[0]), beside), worth) as (begin, end), c.loop(begin, end) as t:
            i, j = (c.emit(f"{op} i64 {t}, {beside}") for op in ("udiv", "urem"))
            top, left = c.mul(i, _PANELS[0]), c.mul(j, _PANELS[1])
            bottom = c.minimum(c.add(top, _PANELS[0]), high)
            right = c.minimum(c.add(left, _PANELS[1]), wide)
            with c.loop(left, right) as p, c.loop(top, bottom) as q:
                column, row = c.mul(p, columns), c.mul(q, _ROWS)
                place = at(target, c.mul(c.add(i0, row), apart), c.add(j0, column))
                _call_kernel(c, dtype, [
                    f"i64 {terms}", f"ptr {at(second, c.mul(row, terms))}", f"ptr {at(memory, c.mul(column, terms))}",
                    f"ptr {place}", f"i64 {apart}",
                ], c.sub(down, row), c.sub(across, column), add)  # fmt: skip
    c.do("ret void")


def _call_kernel(c: Code, dtype: np.dtype[Any], given: Sequence[str], rows: Index, columns: Index, add: str) -> None:
    """The least kernel that has so many rows and columns, or the largest."""
    lanes = _BYTES // dtype.itemsize
    end = c.new_label()
    sizes = [1 << k for k in range(_ROWS.bit_length())]
    for high in sizes:
        following = c.new_label() if high < _ROWS else ""
        if following:
            fits = c.new_label()
            c.branch(c.emit(f"icmp sle i64 {rows}, {high}"), fits, following)
            c.start(fits)
        for vectors in range(1, _VECTORS + 1):
            wider = c.new_label() if vectors < _VECTORS else ""
            if wider:
                here = c.new_label()
                c.branch(c.emit(f"icmp sle i64 {columns}, {vectors * lanes}"), here, wider)
                c.start(here)
            c.do(f"call void @kernel_{high}_{vectors}({', '.join(given)}, i64 {rows}, i64 {columns}, i1 {add})")
            c.go(end)
            if wider:
                c.start(wider)
        if following:
            c.start(following)
    c.start(end)


def _kernel(module: Module, dtype: np.dtype[Any], rows: int, vectors: int) -> None:
    """``target (+)= a @ b`` for a panel of `_ROWS` rows, of which `rows` count at most, and one of `vectors`.

    What is outside of the result's rows and columns is left as it is.
    """
    type, lanes = register(dtype), _BYTES // dtype.itemsize
    vector, align = f"<{lanes} x {type}>", dtype.itemsize
    fma = f"call {vector} @llvm.fma.v{lanes}f{8 * dtype.itemsize}"
    cells = [(i, j) for i in range(rows) for j in range(vectors)]
    lines = ["entry:"]
    for i in range(rows):
        # (The result is far away: it comes while the terms are added up.)
        lines.append(f"  %ro{i} = mul nsw i64 %apart, {i}")
        lines.append(f"  %rp{i} = getelementptr {type}, ptr %c, i64 %ro{i}")
        for j in range(vectors):
            lines.append(f"  %cp{i}_{j} = getelementptr {type}, ptr %rp{i}, i64 {j * lanes}")
            lines.append(f"  call void @llvm.prefetch.p0(ptr %cp{i}_{j}, i32 1, i32 3, i32 1)")
    lines += ["  br label %terms", "terms:", "  %k = phi i64 [ 0, %entry ], [ %k1, %terms ]"]
    lines += [f"  %s{i}_{j} = phi {vector} [ zeroinitializer, %entry ], [ %t{i}_{j}, %terms ]" for i, j in cells]
    lines.append(f"  %ka = mul nsw i64 %k, {_ROWS}")
    lines.append(f"  %kb = mul nsw i64 %k, {vectors * lanes}")
    for j in range(vectors):
        lines.append(f"  %bo{j} = add nsw i64 %kb, {j * lanes}")
        lines.append(f"  %bp{j} = getelementptr inbounds {type}, ptr %b, i64 %bo{j}")
        lines.append(f"  %b{j} = load {vector}, ptr %bp{j}, align {align}")
    for i in range(rows):
        lines.append(f"  %ao{i} = add nsw i64 %ka, {i}")
        lines.append(f"  %ap{i} = getelementptr inbounds {type}, ptr %a, i64 %ao{i}")
        lines.append(f"  %a{i} = load {type}, ptr %ap{i}, align {align}")
        lines.append(f"  %ai{i} = insertelement {vector} poison, {type} %a{i}, i64 0")
        lines.append(f"  %av{i} = shufflevector {vector} %ai{i}, {vector} poison, <{lanes} x i32> zeroinitializer")
        for j in range(vectors):
            lines.append(f"  %t{i}_{j} = {fma}({vector} %av{i}, {vector} %b{j}, {vector} %s{i}_{j})")
    lines += ["  %k1 = add nuw nsw i64 %k, 1", "  %more = icmp slt i64 %k1, %terms.count"]
    lines += ["  br i1 %more, label %terms, label %leave", "leave:"]
    lines += _masks(dtype, vectors, "%columns")
    flag = f"<{lanes} x i1>"
    lines.append(f"  %add0 = insertelement {flag} poison, i1 %add, i64 0")
    lines.append(f"  %add1 = shufflevector {flag} %add0, {flag} poison, <{lanes} x i32> zeroinitializer")
    lines += [f"  %old{j} = and {flag} %mask{j}, %add1" for j in range(vectors)]
    for i in range(rows):
        for j in range(vectors):
            lines.append(
                f"  %co{i}_{j} = call {vector} @llvm.masked.load.{_suffix(dtype)}(ptr %cp{i}_{j}, i32 {align}, "
                f"{flag} %old{j}, {vector} zeroinitializer)"
            )
            lines.append(f"  %cn{i}_{j} = fadd {vector} %co{i}_{j}, %t{i}_{j}")
            lines.append(
                f"  call void @llvm.masked.store.{_suffix(dtype)}({vector} %cn{i}_{j}, ptr %cp{i}_{j}, i32 {align}, "
                f"{flag} %mask{j})"
            )
        if i + 1 < rows:
            lines.append(f"  %is{i} = icmp sgt i64 %rows, {i + 1}")
            lines += [f"  br i1 %is{i}, label %row{i + 1}, label %done", f"row{i + 1}:"]
    lines += ["  br label %done", "done:", "  ret void", "}"]
    head = (
        f"define internal void @kernel_{rows}_{vectors}(i64 %terms.count, ptr noalias %a, ptr noalias %b, "
        "ptr noalias %c, i64 %apart, i64 %rows, i64 %columns, i1 %add) noinline {"
    )
    module.functions.append("\n".join([head, *lines]))


def _masks(dtype: np.dtype[Any], vectors: int, columns: str) -> list[str]:
    """``%mask0`` and so on: which elements of vectors are among the first `columns`."""
    lanes = _BYTES // dtype.itemsize
    wide = f"<{lanes} x i64>"
    lines = [
        f"  %all0 = insertelement {wide} poison, i64 {columns}, i64 0",
        f"  %all1 = shufflevector {wide} %all0, {wide} poison, <{lanes} x i32> zeroinitializer",
    ]
    for j in range(vectors):
        places = ", ".join(f"i64 {j * lanes + i}" for i in range(lanes))
        lines.append(f"  %mask{j} = icmp slt {wide} <{places}>, %all1")
    return lines


def _woven(c: Code, vector: str, lanes: int, streams: Sequence[str]) -> list[str]:
    """Vectors in which elements of `streams` (as many as a power of 2) take turns."""
    found, half = list(streams), len(streams) // 2
    halves = [
        ", ".join(f"i32 {k // 2 + begin + (k % 2) * lanes}" for k in range(lanes)) for begin in (0, lanes // 2)
    ]
    for _ in range(half.bit_length()):
        found = [
            c.emit(f"shufflevector {vector} {found[i]}, {vector} {found[i + half]}, <{lanes} x i32> <{order}>")
            for i in range(half)
            for order in halves
        ]
    return found


def _pack_rows(module: Module, dtype: np.dtype[Any]) -> None:
    """The panel of the rows of a matrix: of each column, `_ROWS` elements. The last row stands for those that lack."""
    c, type, lanes = Code(module), register(dtype), _BYTES // dtype.itemsize
    vector, align = f"<{lanes} x {type}>", dtype.itemsize
    last = c.sub(c.minimum("%rows", _ROWS), 1)

    def at(pointer: str, offset: Index) -> str:
        return c.emit(f"getelementptr {type}, ptr {pointer}, i64 {offset}")

    starts = [at("%from", c.mul(c.minimum(last, i), "%row")) for i in range(_ROWS)]
    beside = c.emit("icmp eq i64 %column, 1")
    whole = c.emit(f"and i64 %terms, {-lanes}")
    many = c.emit(f"select i1 {beside}, i64 {whole}, i64 0")
    with c.loop(0, many, lanes) as k:
        found = [c.emit(f"load {vector}, ptr {at(start, k)}, align {align}") for start in starts]
        place = at("%to", c.mul(k, _ROWS))
        for i, x in enumerate(_woven(c, vector, lanes, found)):
            c.do(f"store {vector} {x}, ptr {at(place, i * lanes)}, align {align}")
    # Rows that are side by side in memory are copied.
    full = c.emit(f"icmp eq i64 {last}, {_ROWS - 1}")
    turned = c.emit(f"and i1 {c.emit('icmp eq i64 %row, 1')}, {full}")
    copied = c.emit(f"select i1 {turned}, i64 %terms, i64 {many}")
    short = f"<{_ROWS} x {type}>"
    with c.loop(many, copied) as k:
        x = c.emit(f"load {short}, ptr {at('%from', c.mul(k, '%column'))}, align {align}")
        c.do(f"store {short} {x}, ptr {at('%to', c.mul(k, _ROWS))}, align {align}")
    with c.loop(copied, "%terms") as k:
        for i, start in enumerate(starts):
            x = c.emit(f"load {type}, ptr {at(start, c.mul(k, '%column'))}, align {align}")
            c.do(f"store {type} {x}, ptr {at('%to', c.add(c.mul(k, _ROWS), i))}, align {align}")
    c.do("ret void")
    head = ("define internal void @pack_rows(ptr noalias %from, i64 %row, i64 %column, i64 %rows, i64 %terms, "
            "ptr noalias %to) noinline {")  # fmt: skip
    module.functions.append(f"{head}\n{c.body()}\n}}")


def _pack_columns(module: Module, dtype: np.dtype[Any]) -> None:
    """The panel of the columns of a matrix: of each row, as many vectors as they fill, up to `_VECTORS`."""
    c, type, lanes = Code(module), register(dtype), _BYTES // dtype.itemsize
    vector, align, most = f"<{lanes} x {type}>", dtype.itemsize, _columns(dtype)

    def at(pointer: str, offset: Index) -> str:
        return c.emit(f"getelementptr {type}, ptr {pointer}, i64 {offset}")

    columns = c.minimum("%columns", most)
    vectors = _up(c, columns, lanes)
    width = c.mul(vectors, lanes)
    ways = [c.new_label() for _ in range(4)]
    beside, apart, turned, end = ways
    c.branch(c.emit("icmp eq i64 %column, 1"), beside, apart)
    c.start(beside)
    with c.scope(), c.loop(0, vectors) as j:
        first = c.mul(j, lanes)
        source, place = at("%from", first), at("%to", first)
        c.lines += _masks(dtype, 1, str(c.sub(columns, first)))
        with c.loop(0, "%terms") as k:
            x = c.emit(f"call {vector} @llvm.masked.load.{_suffix(dtype)}(ptr {at(source, c.mul(k, '%row'))}, "
                       f"i32 {align}, <{lanes} x i1> %mask0, {vector} zeroinitializer)")  # fmt: skip
            c.do(f"store {vector} {x}, ptr {at(place, c.mul(k, width))}, align {align}")
    c.go(end)
    c.start(apart)
    # Columns that are each in one piece are woven.
    along = c.emit("icmp eq i64 %row, 1")
    whole = c.emit(f"select i1 {along}, i64 {c.emit(f'and i64 %terms, {-lanes}')}, i64 0")
    last = c.sub(columns, 1)
    c.go(turned)
    c.start(turned)
    with c.scope(), c.loop(0, vectors) as j:
        first = c.mul(j, lanes)
        place = at("%to", first)
        starts = [at("%from", c.mul(c.minimum(c.add(first, i), last), "%column")) for i in range(lanes)]
        with c.loop(0, whole, lanes) as k:
            found = [c.emit(f"load {vector}, ptr {at(start, k)}, align {align}") for start in starts]
            for i, x in enumerate(_woven(c, vector, lanes, found)):
                c.do(f"store {vector} {x}, ptr {at(place, c.mul(c.add(k, i), width))}, align {align}")
        with c.loop(whole, "%terms") as k:
            for i, start in enumerate(starts):
                x = c.emit(f"load {type}, ptr {at(start, c.mul(k, '%row'))}, align {align}")
                c.do(f"store {type} {x}, ptr {at(place, c.add(c.mul(k, width), i))}, align {align}")
    c.go(end)
    c.start(end)
    c.do("ret void")
    head = ("define internal void @pack_columns(ptr noalias %from, i64 %row, i64 %column, i64 %columns, i64 %terms, "
            "ptr noalias %to) noinline {")  # fmt: skip
    module.functions.append(f"{head}\n{c.body()}\n}}")
