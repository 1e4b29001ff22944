"""Least squares in programs: the rank, which decides what NumPy gives, is that of the matrix's columns there."""

from __future__ import annotations

from typing import Any

import numpy as np

from lazyarr.convert import as_lazy
from lazyarr.dispatch import UFUNCS, implements
from lazyarr.ir.extents import is_static
from lazyarr.numpy._through import lazy, rebound
from lazyarr.runtime import guard, recording

_linalg: Any = getattr(np.linalg, "_linalg")  # noqa: B009  (typed as a module without these names)


def _is_traced() -> bool:
    """Whether what is recorded is to become one program."""
    observer = recording().observer
    return observer is not None and not observer.in_python


@implements(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """As `numpy.linalg.lstsq`.

    In a program, of more equations than unknowns, the matrix has full rank: otherwise Python has the call.
    """
    if _is_traced():
        matrix, right = as_lazy(a), as_lazy(b)
        static = is_static(matrix.shape) and is_static(right.shape)
        if static and matrix.ndim == 2 and right.ndim in (1, 2) and right.size and matrix.shape[0] == right.shape[0]:
            if matrix.shape[0] > matrix.shape[1] > 0:
                return _of_full_rank(matrix, right, rcond)
    return rebound(np.linalg.lstsq)(a, b, rcond)


def _of_full_rank(a: Any, b: Any, rcond: Any) -> tuple[Any, ...]:
    """Solution, residuals, rank and singular values, for a tall matrix of full rank."""
    working, result = _linalg._commonType(a, b)
    real = _linalg._realType(result)
    columns = a.shape[1]
    rcond = np.finfo(working).eps * max(a.shape) if rcond is None else rcond
    name = "lstsq" if hasattr(_linalg._umath_linalg, "lstsq") else "lstsq_n"
    signature = "DDd->Ddid" if np.dtype(working).kind == "c" else "ddd->ddid"
    solve: Any = UFUNCS[getattr(_linalg._umath_linalg, name)]
    x, residuals, rank, singular = solve(a, b if b.ndim == 2 else b[:, None], rcond, signature=signature)
    guard((rank == columns)._value(), "a system of equations has full rank")
    x = x if b.ndim == 2 else x[:, 0]
    return x.astype(result), residuals.astype(real), rank, singular.astype(real)


@implements(np.polyfit)
def polyfit(
    x: Any, y: Any, deg: Any, rcond: Any = None, full: bool = False, w: Any = None, cov: Any = False
) -> Any:  # fmt: skip
    """As `numpy.polyfit`.

    In a program, least squares on the columns of a Vandermonde matrix, each scaled to length 1. The matrix has full
    rank there: otherwise Python has the call, with NumPy's warning.
    """
    traced = _is_traced() and not full and not cov and type(deg) is int and deg >= 0
    if traced and not _is_refused(x, y, w) and as_lazy(x).size > deg + 1:
        points: Any = as_lazy(x)
        values: Any = as_lazy(y)
        return _fitted(points + 0.0, values + 0.0, deg + 1, rcond, w)
    return rebound(np.polyfit)(x, y, deg, rcond=rcond, full=full, w=w, cov=cov)


def _is_refused(x: Any, y: Any, w: Any) -> bool:
    """Whether points and weights do not fit together, of which NumPy says why, or their number is not known."""
    points, values = as_lazy(x), as_lazy(y)
    weights = points if w is None else as_lazy(w)
    return (
        not all(is_static(a.shape) for a in (points, values, weights)) or points.ndim != 1 or not points.size
        or values.ndim not in (1, 2) or weights.ndim != 1 or not points.size == len(values) == len(weights)
    )  # fmt: skip


def _fitted(x: Any, y: Any, columns: int, rcond: Any, w: Any) -> Any:
    """The coefficients of `columns` powers, the highest first."""
    rcond = x.shape[0] * np.finfo(x.dtype).eps if rcond is None else rcond
    matrix = lazy.vander(x, columns)
    if w is not None:
        weights: Any = as_lazy(w)
        weights = weights + 0.0
        matrix, y = matrix * weights[:, None], y * (weights[:, None] if y.ndim == 2 else weights)
    lengths = lazy.sqrt((matrix * matrix).sum(axis=0))
    found = _of_full_rank(matrix / lengths, y, rcond)[0]
    return (found.T / lengths).T
