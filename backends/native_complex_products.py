"""Products of small complex matrices, as BLAS has them: with vectors of real and imaginary parts side by side.

Rows of the second matrix are multiplied by real parts and by imaginary parts of the first one, and added up apart in
registers; only the sums are put together: no element is taken apart on the way.
"""

from __future__ import annotations

from lazyarr.backends.native_emit import Code, Index, part, register
from lazyarr.backends.native_storage import Storage, Strided

#: Bytes of a row that are added up at a time: eight registers of 32 bytes, with those for imaginary parts.
_ROW = 128


def matmul(code: Code, a: Storage, b: Strided, target: Strided) -> None:
    """``target = a @ b`` of complex matrices; elements of a row of `b` are neighbours in memory."""
    width = _ROW // target.dtype.itemsize
    n = target.shape[1]
    with code.statement(), code.loop(0, target.shape[0]) as i:
        whole = n - n % width if isinstance(n, int) else code.emit(f"and i64 {n}, {-width}")
        if whole != 0:
            with code.loop(0, whole, width) as j:
                _columns(code, a, b, target, i, j, width)
        if not isinstance(n, int) or not isinstance(whole, int):
            with code.loop(whole, n) as j:
                _columns(code, a, b, target, i, j, 1)
            return
        while whole < n:
            while whole + width > n:
                width //= 2
            _columns(code, a, b, target, i, whole, width)
            whole += width


def _columns(code: Code, a: Storage, b: Strided, target: Strided, i: Index, j: Index, width: int) -> None:
    """`width` columns from number `j` of row `i`."""
    dtype, type = target.dtype, register(target.dtype)
    lanes = 2 * width
    vector, align = f"<{lanes} x {type}>", part(dtype).itemsize
    sums = [code.alloca(vector) for _ in range(2)]
    for slot in sums:
        code.do(f"store {vector} zeroinitializer, ptr {slot}")
    with code.loop(0, b.shape[0]) as k:
        factors = a.element(code, (i, k), {})
        place = code.address(code.pointer(b.buffer), dtype, b.place(code, (k, j)))
        row = code.emit(f"load {vector}, ptr {place}, align {align}")
        for slot, factor in zip(sums, factors, strict=True):
            one = code.emit(f"insertelement {vector} poison, {type} {factor}, i64 0")
            every = code.emit(f"shufflevector {vector} {one}, {vector} poison, <{lanes} x i32> zeroinitializer")
            product = code.emit(f"fmul contract {vector} {every}, {row}")
            old = code.emit(f"load {vector}, ptr {slot}")
            code.do(f"store {vector} {code.emit(f'fadd contract {vector} {old}, {product}')}, ptr {slot}")
    by_real, by_imag = (code.emit(f"load {vector}, ptr {slot}") for slot in sums)
    # The products with imaginary parts, where they belong: -imag * imag, real * imag.
    swap = ", ".join(f"i32 {k ^ 1}" for k in range(lanes))
    turned = code.emit(f"shufflevector {vector} {by_imag}, {vector} poison, <{lanes} x i32> <{swap}>")
    less = code.emit(f"fsub {vector} {by_real}, {turned}")
    more = code.emit(f"fadd {vector} {by_real}, {turned}")
    pick = ", ".join(f"i32 {k + lanes * (k % 2)}" for k in range(lanes))
    found = code.emit(f"shufflevector {vector} {less}, {vector} {more}, <{lanes} x i32> <{pick}>")
    to = code.address(code.pointer(target.buffer), dtype, target.place(code, (i, j)))
    code.do(f"store {vector} {found}, ptr {to}, align {align}")
