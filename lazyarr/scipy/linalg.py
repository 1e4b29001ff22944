"""Solvers of `scipy.linalg`, on what they mostly get; the rest is SciPy's."""

from __future__ import annotations

from typing import Any

import numpy as np

from lazyarr import strides as geometry
from lazyarr.array import LazyArray
from lazyarr.computed import ComputedScalar
from lazyarr.convert import as_lazy, cast
from lazyarr.dispatch import NotCompiled
from lazyarr.ir.extents import is_static
from lazyarr.ir.node import Value
from lazyarr.numpy._choose import every
from lazyarr.numpy._through import lazy
from lazyarr.ops.elementwise import ELEMENTWISE
from lazyarr.ops.lapack import LAPACK_DTYPES
from lazyarr.ops.tridiagonal import LETTERS, TRIDIAGONAL
from lazyarr.runtime import add_check, record, record_all, recording
from lazyarr.scipy._register import implements

_DTYPE_OF = {f"{letter}gtsv": dtype for dtype, letter in LETTERS.items()}


def _system(dtype: np.dtype[Any], *parts: Any) -> list[Value]:
    """Diagonals and right-hand sides in LAPACK's dtype."""
    arrays = [as_lazy(x) for x in parts]
    dl, d, du, b = arrays
    if any(x.dtype.kind not in "biufc" or (x.dtype.kind == "c" and dtype.kind != "c") for x in arrays):
        raise NotCompiled(f"dtypes {', '.join(str(x.dtype) for x in arrays)}")
    if not all(is_static(x.shape) for x in arrays) or (dl.ndim, d.ndim, du.ndim) != (1, 1, 1) or b.ndim not in (1, 2):
        raise NotCompiled("other than vectors of known lengths")
    if d.size < 2 or dl.size != d.size - 1 or du.size != d.size - 1 or b.shape[0] != d.size:
        raise NotCompiled("lengths that do not fit")
    return [cast(x._value(), dtype) for x in (dl, d, du, b if b.ndim == 2 else b[:, None])]


def _solution(x: Value, b: LazyArray) -> LazyArray:
    """As LAPACK has it: a vector, or columns."""
    if b.ndim == 1:
        column: LazyArray = LazyArray._new(x)[:, 0].copy()
        return column
    return LazyArray._new(x, geometry.contiguous(x.type.shape, x.type.dtype.itemsize, "F"))


@implements("scipy.linalg.lapack", *_DTYPE_OF)
def gtsv(
    name: str, dl: Any, d: Any, du: Any, b: Any, overwrite_dl: Any = 0, overwrite_d: Any = 0, overwrite_du: Any = 0,
    overwrite_b: Any = 0,
) -> Any:  # fmt: skip
    """As `scipy.linalg.lapack`'s ``?gtsv``, where nothing is overwritten."""
    if recording().observer is None:
        raise NotCompiled("outside accelerated functions")
    if any(x != 0 for x in (overwrite_dl, overwrite_d, overwrite_du, overwrite_b)):
        raise NotCompiled("arguments that may be overwritten")
    *factors, x, info = record_all(TRIDIAGONAL, *_system(_DTYPE_OF[name], dl, d, du, b))
    return (*map(LazyArray._new, factors), _solution(x, as_lazy(b)), ComputedScalar(info, int))


@implements("scipy.linalg", "solve_banded")
def solve_banded(
    l_and_u: Any, ab: Any, b: Any, overwrite_ab: bool = False, overwrite_b: bool = False, check_finite: bool = True
) -> LazyArray:
    """As `scipy.linalg.solve_banded`, of tridiagonal matrices."""
    ab, b = as_lazy(ab), as_lazy(b)
    if tuple(l_and_u) != (1, 1) or ab.ndim != 2 or ab.shape[0] != 3:
        raise NotCompiled("more than three diagonals")
    if overwrite_ab or overwrite_b:
        raise NotCompiled("arguments that may be overwritten")
    dtype = np.result_type(*(x.dtype if x.dtype.kind in "fc" else np.float64 for x in (ab, b)))
    dtype = np.dtype(np.float32) if dtype == np.float16 else dtype
    if dtype not in LAPACK_DTYPES:
        raise NotCompiled(f"dtype {dtype}")
    if ab.shape[-1] < 2 or b.ndim == 0 or ab.shape[-1] != b.shape[0]:
        raise NotCompiled("lengths that do not fit")
    if check_finite:
        for array in (ab, b):
            if array.dtype.kind in "fc":
                finite = every(record(ELEMENTWISE["isfinite"], array._value()))
                add_check(finite, "ValueError", "array must not contain infs or NaNs")
    *_, x, info = record_all(TRIDIAGONAL, *_system(dtype, ab[2, :-1], ab[1], ab[0, 1:], b))
    solved = lazy.equal(LazyArray._new(info, scalar=True), 0)
    add_check(solved._value(), "LinAlgError", "singular matrix")
    return _solution(x, b)
