"""The BLAS that NumPy itself calls, called from native code: the same bits, and no step in Python."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from lazyarr.backends import native_linked, native_threads
from lazyarr.backends import native_nests as nests
from lazyarr.backends.native_emit import Code, Index, literal, register
from lazyarr.backends.native_frame import Frame
from lazyarr.backends.native_storage import Along, Scalar, Storage, Strided, view

_ROW, _COLUMN, _AS_IT_IS, _TRANSPOSED = 101, 102, 111, 112
#: Rows of a product with a vector that BLAS computes together: what one thread does of it is a multiple.
ROWS = 16


def symbol(routine: str) -> tuple[str, str] | None:
    """The name of a CBLAS routine in NumPy's library, and the LLVM type of its integers; None where it has none."""
    return native_linked.linked("numpy._core._multiarray_umath", f"cblas_{routine}", "64_")


def threads() -> str | None:
    """The name of the function that says how many threads NumPy's library uses; None where it is not OpenBLAS."""
    found = native_linked.linked("numpy._core._multiarray_umath", "openblas_get_num_threads", "64_")
    return found[0] if found else None


@lru_cache(maxsize=4)
def rows_apart(dtype: np.dtype[Any]) -> bool:
    """Whether NumPy's ``a @ x`` has the same bits if it is done for some multiple of `ROWS` rows at a time.

    OpenBLAS sums up each row along memory as it does four others, whichever they are; this tries whether that is so
    here. (In ``x @ b`` the bits of a column depend on how many there are.)
    """
    generator = np.random.default_rng(0)
    for m, n in ((7 * ROWS + 3, 331), (2 * ROWS + 1, 1500), (500, 451), (300, 3000)):
        a, x = generator.standard_normal((m, n)).astype(dtype), generator.standard_normal(n).astype(dtype)
        whole = a @ x
        for first, last in ((0, ROWS), (ROWS, m), (0, m // 2 // ROWS * ROWS), (m // 2 // ROWS * ROWS, m)):
            if not np.array_equal(a[first:last] @ x, whole[first:last]):
                return False
    return True


def _letter(x: Storage) -> str | None:
    return {"f4": "s", "f8": "d"}.get(f"{x.dtype.kind}{x.dtype.itemsize}")


def _positive(x: Strided, axis: int) -> bool:
    stride = x.strides[axis]
    return isinstance(stride, int) and stride >= 1


def _integer(c: Code, type: str, n: Index) -> str:
    return str(n) if isinstance(n, int) or type == "i64" else c.emit(f"trunc i64 {n} to i32")


def address(c: Code, x: Strided) -> str:
    return c.address(c.pointer(x.buffer), x.dtype, x.offset)


def dot(frame: Frame, a: Storage, b: Storage) -> Scalar | None:
    """The inner product of two vectors as NumPy has it; None where that is no call of BLAS."""
    letter = _letter(a)
    found = symbol(f"{letter}dot") if letter else None
    if found is None:
        return None
    a, b = frame.stored(a), frame.stored(b)
    frame.working += [a, b]
    if not (_positive(a, 0) and _positive(b, 0)):
        return None
    c, type = frame.code, register(a.dtype)
    name, integer = found
    c.module.declare(name, f"declare {type} @{name}({integer}, ptr, {integer}, ptr, {integer}) nounwind")
    n = _integer(c, integer, a.shape[0])
    result = c.emit(
        f"call {type} @{name}({integer} {n}, ptr {address(c, a)}, {integer} {a.strides[0]}, "
        f"ptr {address(c, b)}, {integer} {b.strides[0]})"
    )
    # NumPy adds it to a zero of its own.
    return Scalar(a.dtype, (c.emit(f"fadd {type} {result}, {literal(0, a.dtype)[0]}"),))


def matvec(a: Strided, x: Strided) -> Callable[[Code, Strided, Strided], None] | None:
    """``call(code, a, target)`` that computes ``a @ x`` as NumPy does; None where that is no call of BLAS.

    For ``x @ b``, `a` is the transposed of b. Both extents have to be more than one.
    """
    letter = _letter(a)
    found = symbol(f"{letter}gemv") if letter else None
    if found is None or not _positive(x, 0):
        return None
    rows, columns = a.strides
    if columns == 1 and isinstance(rows, int) and rows >= a.bounds[1]:
        order, leading = _COLUMN, rows
    elif rows == 1 and isinstance(columns, int) and columns >= a.bounds[0]:
        order, leading = _ROW, columns
    else:
        return None
    name, integer = found

    def call(c: Code, a: Strided, target: Strided) -> None:
        type = register(a.dtype)
        c.module.declare(name, f"declare void @{name}(i32, i32, {integer}, {integer}, {type}, ptr, {integer}, ptr, "
                               f"{integer}, {type}, ptr, {integer}) nounwind")  # fmt: skip
        one, zero = literal(1, a.dtype)[0], literal(0, a.dtype)[0]
        m, n = (_integer(c, integer, e) for e in a.shape)
        c.do(
            f"call void @{name}(i32 {order}, i32 {_TRANSPOSED}, {integer} {n}, {integer} {m}, {type} {one}, "
            f"ptr {address(c, a)}, {integer} {leading}, "
            f"ptr {address(c, x)}, {integer} {x.strides[0]}, {type} {zero}, "
            f"ptr {address(c, target)}, {integer} 1)"
        )

    count = threads()
    if count is None or order != _COLUMN or not rows_apart(a.dtype):
        return call

    def shared(c: Code, a: Strided, target: Strided) -> None:
        """The same, rows shared among our threads where BLAS has one."""
        c.module.declare(count, f"declare i32 @{count}() nounwind")
        alone = c.emit(f"icmp eq i32 {c.emit(f'call i32 @{count}()')}, 1")
        if not isinstance(a.shape[0], int):
            alone = c.emit(f"and i1 {alone}, {c.emit(f'icmp sge i64 {a.shape[0]}, {2 * ROWS}')}")
        ours, theirs, end = (c.new_label() for _ in range(3))
        c.branch(alone, ours, theirs)
        c.start(ours)
        with c.scope():
            _by_rows(c, call, a, x, target)
        c.go(end)
        c.start(theirs)
        with c.scope():
            call(c, a, target)
        c.go(end)
        c.start(end)

    size = float(np.prod([float(n) for n in a.bounds]))
    enough = size * nests.work(a) >= nests.WORTH and a.bounds[0] >= 2 * ROWS
    return shared if enough and native_threads.threads() > 1 else call


def _by_rows(c: Code, call: Callable[[Code, Strided, Strided], None], a: Strided, x: Strided, target: Strided
             ) -> None:  # fmt: skip
    """``target = a @ x``, so many rows a thread."""
    rows, columns = a.shape
    blocks = rows // ROWS if isinstance(rows, int) else c.emit(f"udiv i64 {rows}, {ROWS}")
    bound, inner = a.bounds[0] // ROWS, float(ROWS * a.bounds[1])
    buffers = [target.buffer, *a.buffers, *x.buffers]
    size = nests.total(c, a.shape)
    with c.statement(), nests.span(c, blocks, bound, a, buffers, size, inner) as (begin, end):
        first = c.mul(begin, ROWS)
        # The last block has the rest.
        is_last = c.emit(f"icmp eq i64 {end}, {blocks}")
        last = c.emit(f"select i1 {is_last}, i64 {rows}, i64 {c.mul(end, ROWS)}")
        count = c.sub(last, first)
        part = view(c, a, (Along(first, 0, 1), Along(0, 1, 1)), (count, columns), a.bounds)
        place = view(c, target, (Along(first, 0, 1),), (count,), target.bounds)
        assert isinstance(part, Strided) and isinstance(place, Strided)
        call(c, part, place)


def multiplies(a: Storage, b: Storage) -> bool:
    """Whether `matmul` is what NumPy calls for ``a @ b`` of matrices.

    Not for ``a @ a.T``, which NumPy has another routine for, nor for one row or column, which are a vector to it.
    """
    letter = _letter(a)
    if letter is None or symbol(f"{letter}gemm") is None:
        return False
    if not all(isinstance(n, int) and n > 1 for n in (*a.shape, *b.shape)):
        return False
    # (What is computed is stored in order.)
    stored = [x for x in (a, b) if isinstance(x, Strided)]
    return all(_side(x) is not None for x in stored) and len({x.buffer for x in stored}) == len(stored)


def matmul(frame: Frame, a: Storage, b: Storage, target: Strided) -> None:
    """``target = a @ b`` of matrices that it `multiplies`."""
    found = symbol(f"{_letter(a)}gemm")
    frame.working.append(target)
    a, b = frame.stored(a), frame.stored(b)
    frame.working += [a, b]
    sides = [_side(x) for x in (a, b)]
    assert found is not None
    c, (name, integer), type = frame.code, found, register(a.dtype)
    size = f"{integer}, ptr, {integer}"
    c.module.declare(name, f"declare void @{name}(i32, i32, i32, {integer}, {integer}, {integer}, {type}, ptr, {size}, "
                           f"{type}, ptr, {integer}) nounwind")  # fmt: skip
    (how, leading), (other, beside) = (s for s in sides if s is not None)
    (m, k), n = a.shape, b.shape[1]
    one, zero = literal(1, a.dtype)[0], literal(0, a.dtype)[0]
    c.do(
        f"call void @{name}(i32 {_ROW}, i32 {how}, i32 {other}, {integer} {m}, {integer} {n}, {integer} {k}, "
        f"{type} {one}, ptr {address(c, a)}, {integer} {leading}, ptr {address(c, b)}, {integer} {beside}, "
        f"{type} {zero}, ptr {address(c, target)}, {integer} {n})"
    )


def _side(x: Strided) -> tuple[int, int] | None:
    """How BLAS is told of a matrix: as it is or transposed, and how far its rows are apart; None where it cannot be."""
    rows, columns = x.strides
    if not isinstance(rows, int) or not isinstance(columns, int):
        return None
    if columns == 1 and rows >= x.bounds[1]:
        return _AS_IT_IS, rows
    return (_TRANSPOSED, columns) if rows == 1 and columns >= x.bounds[0] else None


def plain_dot(c: Code, terms: Storage) -> Scalar:
    """The sum of the terms of an inner product one after the other, as NumPy has it without BLAS."""
    type = register(terms.dtype)
    slots = nests.variable(c, terms.dtype, literal(0, terms.dtype))
    with c.statement(), nests.nest(c, terms.shape) as at:
        value = terms.element(c, at, {})
        old = nests.read(c, terms.dtype, slots)
        nests.assign(c, terms.dtype, slots, (c.emit(f"fadd {type} {old[0]}, {value[0]}"),))
    return Scalar(terms.dtype, nests.read(c, terms.dtype, slots))

