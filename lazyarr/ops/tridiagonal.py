"""One tridiagonal system, with several right-hand sides: LAPACK's `gtsv`, which exchanges rows where it has to.

The operation never raises, as LAPACK: `info` says which pivot is zero. What it leaves in the diagonals (the factors)
are results too, with SciPy's names.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from lazyarr.ir import extents
from lazyarr.ir.access import WHOLE, OperandAccess
from lazyarr.ir.op import Cost, Op, Sample, Types
from lazyarr.ir.types import DTYPES, NAMES, ArrayType
from lazyarr.ops.lapack import LAPACK_DTYPES

#: LAPACK's letters for dtypes.
LETTERS = dict(zip(LAPACK_DTYPES, "sdcz", strict=True))


def _infer(dl: ArrayType, d: ArrayType, du: ArrayType, b: ArrayType) -> Types:
    if {dl.dtype, du.dtype, b.dtype} != {d.dtype} or d.dtype not in LETTERS or any(t.weak for t in (dl, d, du, b)):
        raise TypeError(f"tridiagonal takes operands of one of {', '.join(NAMES[t] for t in LAPACK_DTYPES)} in the IR, "
                        f"got {dl}, {d}, {du}, {b}; cast first")  # fmt: skip
    if (dl.ndim, d.ndim, du.ndim, b.ndim) != (1, 1, 1, 2):
        raise ValueError("tridiagonal takes three vectors and a matrix")
    n = d.shape[0]
    if not isinstance(n, int) or n < 2 or dl.shape != (n - 1,) or du.shape != (n - 1,) or b.shape[0] != n:
        raise ValueError(f"tridiagonal: {extents.show(n)} rows do not go with {dl}, {du}, {b}")
    return dl, d, du, b, ArrayType(DTYPES["i64"], ())


def _evaluate(xp: Any, dl: Any, d: Any, du: Any, b: Any) -> tuple[Any, ...]:
    lapack = import_module("scipy.linalg.lapack")
    du2, pivots, upper, x, info = getattr(lapack, f"{LETTERS[d.dtype]}gtsv")(dl, d, du, b)
    return du2, pivots, upper, np.ascontiguousarray(x), np.int64(info)


def _access(*types: ArrayType) -> tuple[OperandAccess, ...]:
    return tuple((WHOLE,) * t.ndim for t in types)


def _cost(dl: ArrayType, d: ArrayType, du: ArrayType, b: ArrayType) -> Cost:
    # A division for each row, and two operations for each element of a right-hand side, one after the other.
    return Cost(20 * d.size + 8 * b.size, 2 * (dl.nbytes + d.nbytes + du.nbytes + b.nbytes))


def _samples() -> Iterator[Sample]:
    def make(rng: Any, dtype: np.dtype[Any], n: int, columns: int, singular: bool) -> tuple[Any, ...]:
        found = [rng.standard_normal(shape) for shape in (n - 1, n, n - 1, (n, columns))]
        if dtype.kind == "c":
            found = [x + 1j * rng.standard_normal(x.shape) for x in found]
        if singular:
            found[0][:], found[1][:] = 0, 0
        return tuple(x.astype(dtype) for x in found)

    for dtype in LAPACK_DTYPES:
        for n, columns, singular in ((5, 1, False), (4, 3, False), (2, 1, False), (2, 0, False), (3, 1, True)):
            name = NAMES[dtype]
            operands = f"{name}[{n - 1}]", f"{name}[{n}]", f"{name}[{n - 1}]", f"{name}[{n},{columns}]"
            yield Sample(operands, make=partial(make, dtype=dtype, n=n, columns=columns, singular=singular))


#: ``(du2, d, du, x, info)`` of the diagonals below, on and above the main one, and right-hand sides in columns.
TRIDIAGONAL = Op(
    name="tridiagonal",
    numpy="scipy.linalg.lapack.<letter>gtsv(dl, d, du, b)",
    infer=_infer,
    evaluate=_evaluate,
    jax=None,
    access=_access,
    pointwise=False,
    memory="fresh",
    cost=_cost,
    backends=("numpy",),
    samples=_samples,
)
