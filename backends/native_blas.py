"""The BLAS that NumPy itself calls, called from native code: the same bits, and no step in Python."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module

from lazyarr.backends import native_nests as nests
from lazyarr.backends.native_emit import Code, Index, literal, register
from lazyarr.backends.native_frame import Frame
from lazyarr.backends.native_storage import Scalar, Storage, Strided

_ROW, _COLUMN, _TRANSPOSED = 101, 102, 112


def symbol(routine: str) -> tuple[str, str] | None:
    """The name of a CBLAS routine in NumPy's library, and the LLVM type of its integers; None where it has none."""
    return linked("numpy._core._multiarray_umath", f"cblas_{routine}", "64_")


@lru_cache(maxsize=64)
def linked(extension: str, routine: str, wide: str) -> tuple[str, str] | None:
    """The name of a routine that an extension of NumPy's was linked with, and the LLVM type of its integers.

    `wide` is what names end with where integers have 64 bits. None where there is no such routine.
    """
    import llvmlite.binding as llvm

    # A look-up in the extension finds what that was linked with.
    library = ctypes.CDLL(import_module(extension).__file__)
    for name, integer in ((f"scipy_{routine}{wide}", "i64"), (f"{routine}{wide}", "i64"),
                          (f"scipy_{routine}", "i32"), (routine, "i32")):  # fmt: skip
        if hasattr(library, name):
            address = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
            assert address is not None
            llvm.add_symbol(name, address)
            return name, integer
    return None


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


def matvec(a: Strided, x: Strided) -> Callable[[Code, Strided], None] | None:
    """``call(code, target)`` that computes ``a @ x`` as NumPy does; None where that is no call of BLAS.

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

    def call(c: Code, target: Strided) -> None:
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

    return call


def plain_dot(c: Code, terms: Storage) -> Scalar:
    """The sum of the terms of an inner product one after the other, as NumPy has it without BLAS."""
    type = register(terms.dtype)
    slots = nests.variable(c, terms.dtype, literal(0, terms.dtype))
    with c.statement(), nests.nest(c, terms.shape) as at:
        value = terms.element(c, at, {})
        old = nests.read(c, terms.dtype, slots)
        nests.assign(c, terms.dtype, slots, (c.emit(f"fadd {type} {old[0]}, {value[0]}"),))
    return Scalar(terms.dtype, nests.read(c, terms.dtype, slots))

