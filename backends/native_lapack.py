"""The LAPACK that NumPy itself calls, called from native code: the same bits, and no step in Python.

One matrix at a time: for a stack of them, what a step in Python costs is small. LAPACK takes matrices by columns: they
are written by rows as transposed ones.
"""

from __future__ import annotations

import numpy as np

from lazyarr.backends import native_blas, native_linked, native_math, native_scalar
from lazyarr.backends import native_nests as nests
from lazyarr.backends.native_emit import Code, Index, literal, register
from lazyarr.backends.native_frame import Frame, constant_view
from lazyarr.backends.native_storage import Along, Scalar, Storage, Strided, view
from lazyarr.ir.node import Node

_LETTERS = {"f4": "s", "f8": "d", "c8": "c", "c16": "z"}
_I64 = np.dtype(np.int64)


def solve(frame: Frame, node: Node, given: list[Storage]) -> list[Storage] | None:
    """``x`` with ``a @ x = b``, and whether there is one, as `gesv` has it."""
    a, b = given
    found = _routine(a, "gesv")
    if found is None or len(b.shape) > 2:
        return None
    matrix = by_columns(frame, a)
    x = by_columns(frame, b) if len(b.shape) == 2 else frame.materialize(b)
    return _solved(frame, found, matrix, x)


def inv(frame: Frame, node: Node, given: list[Storage]) -> list[Storage] | None:
    """The inverse, and whether there is one: as NumPy has it, the solution for the columns of the unit matrix."""
    (a,) = given
    found = _routine(a, "gesv")
    if found is None:
        return None
    matrix = by_columns(frame, a)
    x = frame.lowering.allocate(a.dtype, a.shape, a.bounds)
    frame.working.append(x)
    code = frame.code
    nests.fill(code, x, constant_view(Scalar(a.dtype, literal(0, a.dtype)), x.shape, x.bounds))
    with code.loop(0, x.shape[0]) as i:
        x.put(code, (i, i), literal(1, a.dtype))
    return _solved(frame, found, matrix, x)


def cholesky(frame: Frame, node: Node, given: list[Storage]) -> list[Storage] | None:
    """The triangular factor, and whether there is one, as `potrf` has it."""
    (a,) = given
    found = _routine(a, "potrf")
    if found is None:
        return None
    x = by_columns(frame, a)
    code, upper = frame.code, node.kw["upper"]
    name, integer = found
    n = number(code, integer, x.shape[0])
    letter, info = code.alloca("i8"), code.alloca(integer)
    code.do(f"store i8 {ord('U' if upper else 'L')}, ptr {letter}")
    code.module.declare(name, f"declare void @{name}(ptr, ptr, ptr, ptr, ptr, i64) nounwind")
    address = native_blas.address(code, x)
    # (The last one is the length of the string: Fortran's convention.)
    code.do(f"call void @{name}(ptr {letter}, ptr {n}, ptr {address}, ptr {n}, ptr {info}, i64 1)")
    with code.loop(0, x.shape[0]) as column:
        first: Index = code.add(column, 1) if upper else 0
        with code.loop(first, x.shape[0] if upper else column) as row:
            x.put(code, (column, row), literal(0, a.dtype))
    return _outcome(frame, integer, info, x)


def det(frame: Frame, node: Node, given: list[Storage]) -> list[Storage] | None:
    """The determinant, from its sign and the sum of logarithms, as NumPy has it."""
    found = slogdet(frame, node, given)
    if found is None:
        return None
    c, t = frame.code, given[0].dtype
    sign, logarithm = (x.element(c, (), {})[0] for x in found)
    size = native_math.function(c, t, logarithm, name="exp", vector=False)
    return [Scalar(t, (c.emit(f"fmul {register(t)} {sign}, {size}"),))]


def slogdet(frame: Frame, node: Node, given: list[Storage]) -> list[Storage] | None:
    """The sign of the determinant and the logarithm of its absolute value, from the factors that `getrf` gives."""
    (a,) = given
    found = _routine(a, "getrf") if a.dtype.kind == "f" else None
    if found is None:
        return None
    factors = by_columns(frame, a)
    name, integer = found
    c, t, order = frame.code, a.dtype, factors.shape[0]
    n, info = number(c, integer, order), c.alloca(integer)
    # (64 bits an entry are enough for either integer.)
    pivots = frame.lowering.allocate(_I64, (order,), factors.bounds[:1])
    frame.working.append(pivots)
    c.module.declare(name, f"declare void @{name}(ptr, ptr, ptr, ptr, ptr, ptr) nounwind")
    places = [native_blas.address(c, part) for part in (factors, pivots)]
    c.do(f"call void @{name}(ptr {n}, ptr {n}, ptr {places[0]}, ptr {n}, ptr {places[1]}, ptr {info})")
    sign, total = nests.variable(c, t, literal(1, t)), nests.variable(c, t, literal(0, t))

    def turned_if(condition: str) -> None:
        old = nests.read(c, t, sign)
        nests.assign(c, t, sign, c.select(condition, t, (c.emit(f"fneg {register(t)} {old[0]}"),), old))

    with c.loop(0, order) as k:
        place = c.emit(f"getelementptr inbounds {integer}, ptr {places[1]}, i64 {k}")
        pivot = c.emit(f"load {integer}, ptr {place}")
        wide = pivot if integer == "i64" else c.emit(f"sext {integer} {pivot} to i64")
        turned_if(c.emit(f"icmp ne i64 {wide}, {c.add(k, 1)}"))
    with c.loop(0, order) as k:
        (x,) = factors.element(c, (k, k), {})
        turned_if(c.emit(f"fcmp olt {register(t)} {x}, {literal(0, t)[0]}"))
        size = native_math.function(c, t, native_scalar.call(c, "fabs", t, x), name="log", vector=False)
        nests.assign(c, t, total, (c.emit(f"fadd {register(t)} {nests.read(c, t, total)[0]}, {size}"),))
    ok = c.emit(f"icmp eq {integer} {c.emit(f'load {integer}, ptr {info}')}, 0")
    parts = ((sign, 0.0), (total, -np.inf))
    return [Scalar(t, c.select(ok, t, nests.read(c, t, slot), literal(singular, t))) for slot, singular in parts]


def _routine(a: Storage, name: str) -> tuple[str, str] | None:
    """The routine of LAPACK for a matrix; None where NumPy has to do it."""
    letter = _LETTERS.get(f"{a.dtype.kind}{a.dtype.itemsize}")
    if letter is None or len(a.shape) != 2 or not (isinstance(a.shape[0], int) and a.shape[0] > 0):
        return None
    return native_linked.linked("numpy.linalg._umath_linalg", f"{letter}{name}_", "64_")


def by_columns(frame: Frame, x: Storage) -> Strided:
    """A copy of the transposed matrix by rows."""
    turned = transposed(frame.code, x)
    target = frame.lowering.allocate(x.dtype, turned.shape, turned.bounds)
    frame.working.append(target)
    nests.fill(frame.code, target, turned)
    return target


def transposed(c: Code, x: Storage) -> Storage:
    return view(c, x, (Along(0, 1, 1), Along(0, 0, 1)), x.shape[::-1], x.bounds[::-1])


def number(c: Code, integer: str, n: Index) -> str:
    """A place that holds a number."""
    place = c.alloca(integer)
    if not isinstance(n, int) and integer != "i64":
        n = c.emit(f"trunc i64 {n} to {integer}")
    c.do(f"store {integer} {n}, ptr {place}")
    return place


def _solved(frame: Frame, found: tuple[str, str], matrix: Strided, x: Strided) -> list[Storage]:
    """Solve for the right-hand sides in `x`, which are its rows; both are overwritten."""
    frame.working += [matrix, x]
    code = frame.code
    name, integer = found
    order = matrix.shape[0]
    n = number(code, integer, order)
    columns = number(code, integer, x.shape[0] if len(x.shape) == 2 else 1)
    info = code.alloca(integer)
    pivots = frame.lowering.allocate(_I64, (order,), matrix.bounds[:1])
    code.module.declare(name, f"declare void @{name}(ptr, ptr, ptr, ptr, ptr, ptr, ptr, ptr) nounwind")
    places = [native_blas.address(code, part) for part in (matrix, pivots, x)]
    code.do(
        f"call void @{name}(ptr {n}, ptr {columns}, ptr {places[0]}, ptr {n}, ptr {places[1]}, ptr {places[2]}, "
        f"ptr {n}, ptr {info})"
    )
    return _outcome(frame, integer, info, x)


def _outcome(frame: Frame, integer: str, info: str, x: Strided) -> list[Storage]:
    """What LAPACK has left in `x`, NaN if it failed, and whether it did not."""
    code = frame.code
    ok = code.emit(f"icmp eq {integer} {code.emit(f'load {integer}, ptr {info}')}, 0")
    with code.when(code.emit(f"xor i1 {ok}, true")):
        nests.fill(code, x, constant_view(Scalar(x.dtype, literal(_nan(x.dtype), x.dtype)), x.shape, x.bounds))
    return [transposed(code, x) if len(x.shape) == 2 else x, Scalar(np.dtype(bool), (ok,))]


def _nan(dtype: np.dtype[np.generic]) -> complex | float:
    return complex(np.nan, 0.0) if dtype.kind == "c" else np.nan
