"""Factors of tall matrices whose rows are split, and least squares with them: TSQR.

Each rank factorizes its rows; the small triangles that this leaves are put one above the other and factorized again, by
every rank (J. Demmel, L. Grigori, M. Hoemmen and J. Langou, Communication-optimal parallel and sequential QR and LU
factorizations, 2012). Signs are those of LAPACK, which factorizes all rows at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lazyarr.ir.layout import Ranges, length
from lazyarr.ir.node import Value, apply, apply_all
from lazyarr.ir.op import OPS, Line
from lazyarr.ir.types import ArrayType
from lazyarr.ops.create import const

if TYPE_CHECKING:
    from lazyarr.ops.across import Ranks

#: Rows for each column from which on a matrix is tall.
_TALL = 4


def _is_tall(a: ArrayType) -> bool:
    return a.ndim == 2 and a.shape[0] >= _TALL * a.shape[1] > 0


def lines_of_factors(a: ArrayType, *, mode: str, **attrs: Any) -> Iterator[Line]:
    """Along the rows of a tall matrix."""
    if _is_tall(a) and mode in ("reduced", "r"):
        yield Line((0,), 0 if mode == "reduced" else None)


def lines_of_least_squares(a: ArrayType, b: ArrayType, rcond: ArrayType, **attrs: Any) -> Iterator[Line]:
    """Along the rows of a tall matrix; not where there are more right-hand sides than it has rows to spare."""
    if _is_tall(a.with_shape((a.shape[0], a.shape[1] + b.shape[1]))):
        yield Line((0, 0, None), None)


def _piece(x: Value, rows: tuple[int, int], columns: tuple[int, int] | None = None) -> Value:
    columns = (0, x.type.shape[1]) if columns is None else columns
    return apply(OPS["slice"], x, start=(rows[0], columns[0]), stop=(rows[1], columns[1]), step=(1, 1))


def _spread(x: Value, axis: int, like: ArrayType) -> Value:
    """A vector along an axis of a matrix."""
    shape = (1, x.type.shape[0]) if axis else (x.type.shape[0], 1)
    return apply(OPS["broadcast"], apply(OPS["reshape"], x, shape=shape), shape=like.shape)


def _counts(ranges: Ranges, n: int) -> list[int]:
    return [min(length(part), n) for part in ranges]


def factors(a: Value, *, ranks: Ranks, mode: str) -> tuple[Value, ...] | Value:
    """What `numpy.linalg.qr` gives: of `q` this rank's rows, and `r`.

    Where the first rank has fewer rows than there are columns, all rows are gathered.
    """
    n, (start, stop) = a.type.shape[1], ranks.ranges[ranks.at]
    if min(map(length, ranks.ranges)) < n:
        whole = ranks.gathered(a, list(map(length, ranks.ranges)))
        if mode == "r":
            return apply(OPS["qr"], whole, mode=mode)
        q, r = apply_all(OPS["qr"], whole, mode=mode)
        return _piece(q, (start, stop)), r
    own, triangle = apply_all(OPS["qr"], a, mode="reduced")
    counts = _counts(ranks.ranges, n)
    above, r = apply_all(OPS["qr"], ranks.gathered(triangle, counts), mode="reduced")
    q = apply(OPS["matmul"], own, _piece(above, (n * ranks.at, n * (ranks.at + 1))))
    # (The first rows decide; the others add nothing.)
    if ranks.at == 0:
        signs = apply(OPS["reflected_signs"], _piece(q, (0, n)))
    else:
        signs = apply(OPS["full"], const(0, a.type.dtype), shape=(n,))
    signs = ranks.reduce(signs, "add")
    # (Below the diagonal no zero is negative.)
    zero = apply(OPS["broadcast"], const(0, r.type.dtype), shape=r.type.shape)
    r = apply(OPS["add"], apply(OPS["multiply"], r, _spread(signs, 0, r.type)), zero)
    return r if mode == "r" else (apply(OPS["multiply"], q, _spread(signs, 1, q.type)), r)


def least_squares(a: Value, b: Value, rcond: Value, *, ranks: Ranks) -> Sequence[Value]:
    """Solution, squared residuals, rank, singular values, and whether these converged.

    With ``r`` the triangle of ``[a b]``, its first columns have the solution and the singular values of `a`, and what
    stands below these columns is what no solution gets at: ``|a x - b|**2 == |r11 x - r12|**2 + |r22|**2``.
    """
    n, k = a.type.shape[1], b.type.shape[1]
    both = apply(OPS["concatenate"], a, b, axis=1)
    triangle = apply(OPS["qr"], both, mode="r")
    r = apply(OPS["qr"], ranks.gathered(triangle, _counts(ranks.ranges, n + k)), mode="r")
    left, right = _piece(r, (0, n), (0, n)), _piece(r, (0, n), (n, n + k))
    x, _, rank, singular, ok = apply_all(OPS["lstsq"], left, right, rcond)
    rest = apply(OPS["concatenate"], apply(OPS["subtract"], apply(OPS["matmul"], left, x), right),
                 _piece(r, (n, n + k), (n, n + k)), axis=0)  # fmt: skip
    size = apply(OPS["absolute"], rest)
    residuals = apply(OPS["reduce"], apply(OPS["multiply"], size, size), kind="add", axes=(0,))
    full = apply(OPS["equal"], rank, const(n, rank.type.dtype))
    none = apply(OPS["broadcast"], const(float("nan"), residuals.type.dtype), shape=(k,))
    chosen = apply(OPS["broadcast"], full, shape=(k,))
    return x, apply(OPS["select"], chosen, residuals, none), rank, singular, ok
