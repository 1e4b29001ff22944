"""Fourier transforms of vectors that are split over ranks: the four-step algorithm.

Of ``n = rows * columns`` points, number ``j1 * columns + j2``: transforms of the columns, a factor for each element,
transforms of the rows; result ``k1 + rows * k2`` stands in row `k1` and column `k2` then (D. H. Bailey, FFTs in
external or hierarchical memory, 1990). Columns and rows are on one rank when they are transformed: two transposes of
blocks, and a third one to NumPy's order.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from lazyarr.ir.layout import even, length
from lazyarr.ir.node import Value, apply
from lazyarr.ir.op import OPS
from lazyarr.ir.types import DTYPES
from lazyarr.ops.create import const

if TYPE_CHECKING:
    from lazyarr.ops.across import Ranks

#: Vectors whose length has no factor of this size beside another one are not cut.
_LEAST = 8


def factors(n: int) -> tuple[int, int] | None:
    """Rows and columns that `n` points are put in, as alike as they can be; None where there are few of either."""
    rows = next((k for k in range(math.isqrt(n), _LEAST - 1, -1) if n % k == 0), None)
    return None if rows is None else (rows, n // rows)


def transform(x: Value, *, ranks: Ranks, kind: str, norm: str) -> Value:
    """What this rank has of the transform of a vector.

    Parameters
    ----------
    x : Value
        Its part, which begins and ends at multiples of the number of columns (`factors`).
    ranks : Ranks
    kind : {"fft", "ifft", "rfft"}
    norm : str
    """
    n = ranks.ranges[-1][1]
    known = factors(n)
    assert known is not None
    rows, columns = known
    single = "ifft" if kind == "ifft" else "fft"

    def along(y: Value, axis: int) -> Value:
        return apply(OPS["fft"], y, kind=single, axes=(axis,), lengths=((rows, columns)[axis],), norm=norm)

    have = tuple((start // columns, stop // columns) for start, stop in ranks.ranges)
    wide, high = even(columns, len(have)), even(rows, len(have))
    y = apply(OPS["reshape"], x, shape=(length(have[ranks.at]), columns))
    y = along(ranks.transposed(y, 0, have, 1, wide), 0)
    y = apply(OPS["multiply"], y, _twiddles(rows, wide[ranks.at], -1 if single == "fft" else 1, n, y.type.dtype))
    y = apply(OPS["transpose"], along(ranks.transposed(y, 1, wide, 0, high), 1), axes=(1, 0))
    # (Of a real vector's transform the first half is wanted.)
    kept = columns if kind != "rfft" else n // 2 // rows + 1
    if kept < columns:
        y = apply(OPS["slice"], y, start=(0, 0), stop=(kept, y.type.shape[1]), step=(1, 1))
    return ranks.flattened(y, (kept, rows), high)


def _twiddles(rows: int, columns: tuple[int, int], sign: int, n: int, dtype: np.dtype[Any]) -> Value:
    """``exp(sign * 2j * pi * k1 * j2 / n)`` for all `k1` and these `j2`, rounded once."""
    i64, real = DTYPES["i64"], DTYPES["f64"]
    shape = (rows, length(columns))

    def spread(x: Value, before: tuple[int, int]) -> Value:
        return apply(OPS["broadcast"], apply(OPS["reshape"], x, shape=before), shape=shape)

    first = apply(OPS["iota"], length=rows, dtype=i64)
    second = apply(OPS["add"], apply(OPS["iota"], length=shape[1], dtype=i64), const(columns[0], i64))
    places = apply(OPS["multiply"], spread(first, (rows, 1)), spread(second, (1, shape[1])))
    angles = apply(OPS["multiply"], apply(OPS["cast"], places, dtype=real), const(sign * 2 * math.pi / n, real))
    found = apply(OPS["complex"], apply(OPS["cos"], angles), apply(OPS["sin"], angles))
    return found if found.type.dtype == dtype else apply(OPS["cast"], found, dtype=dtype)
