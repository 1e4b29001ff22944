"""Means and variances, rounding, and other functions whose NumPy definition is a method in C."""

from __future__ import annotations

from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.convert import as_lazy, cast
from lazyarr.dispatch import UFUNCS, implements
from lazyarr.numpy._reduce import finish, normalized_axes, reduce_out, ufunc_reduce

_UNSET = np._NoValue


def _count(x: LazyArray, axes: tuple[int, ...], where: Any, axis: Any, keepdims: Any) -> Any:
    """Number of elements that each result combines: an int, or an array where a mask decides."""
    if where is _UNSET or where is True:
        return int(np.prod([x.shape[a] for a in axes], dtype=int))
    mask = np.broadcast_to if not isinstance(where, LazyArray) else None
    array = as_lazy(where) if mask is None else as_lazy(np.asarray(where))
    from lazyarr.numpy._shape import broadcast_to

    spread = broadcast_to(array, x.shape)
    return ufunc_reduce(UFUNCS[np.add], spread, axis, np.dtype(np.intp), None, keepdims)


def _sum(x: Any, axis: Any, dtype: Any, keepdims: Any, where: Any) -> LazyArray:
    found: LazyArray = ufunc_reduce(UFUNCS[np.add], x, axis, dtype, None, keepdims, _UNSET,
                                    True if where is _UNSET else where)  # fmt: skip
    return found


def _divided(total: LazyArray, count: Any, dtype: np.dtype[Any]) -> LazyArray:
    quotient: LazyArray = UFUNCS[np.divide](total, count)
    if quotient.dtype == dtype:
        return quotient
    return LazyArray._new(cast(quotient._value(), dtype), scalar=quotient._scalar)


def _given_out(result: LazyArray, out: Any) -> LazyArray:
    target = reduce_out(out)
    return result if target is None else finish(result._value(), target)


@implements(np.mean)
def mean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = _UNSET, *,
         where: Any = _UNSET) -> Any:  # fmt: skip
    """As `numpy.mean`: integers in float64, float16 summed in float32."""
    x = as_lazy(a)
    keep = keepdims is not _UNSET and bool(keepdims)
    axes = normalized_axes(axis, x.ndim)
    inner, result = _working_dtypes(x.dtype, dtype)
    total = _sum(x, axis, inner, keep, where)
    return _given_out(_divided(total, _count(x, axes, where, axis, keep), result), out)


def _working_dtypes(given: np.dtype[Any], dtype: Any) -> tuple[np.dtype[Any], np.dtype[Any]]:
    """The dtype that sums, and the dtype of the result."""
    if dtype is not None:
        return np.dtype(dtype), np.dtype(dtype)
    if given.kind in "bui":
        return np.dtype(np.float64), np.dtype(np.float64)
    return (np.dtype(np.float32) if given == np.float16 else given), given


@implements(np.var)
def var(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = _UNSET, *,
        where: Any = _UNSET, mean: Any = _UNSET, correction: Any = _UNSET) -> Any:  # fmt: skip
    """As `numpy.var`: the mean of squared distances from the mean, in two sweeps."""
    if correction is not _UNSET:
        if ddof != 0:
            raise ValueError("ddof and correction can't be provided simultaneously.")
        ddof = correction
    x = as_lazy(a)
    keep = keepdims is not _UNSET and bool(keepdims)
    axes = normalized_axes(axis, x.ndim)
    inner, result = _working_dtypes(x.dtype, dtype)
    if mean is _UNSET:
        total = _sum(x, axis, inner, True, where)
        center = _divided(total, _count(x, axes, where, axis, True), total.dtype)
    else:
        center = as_lazy(mean)
    away = UFUNCS[np.subtract](x, center)
    if away.dtype.kind == "c":
        square = away.real * away.real + away.imag * away.imag
        result = np.dtype(f"f{result.itemsize // 2}") if result.kind == "c" else result
        inner = np.dtype(f"f{inner.itemsize // 2}") if inner.kind == "c" else inner
    else:
        square = away * away
    spread = _sum(square, axis, inner, keep, where)
    count = _count(x, axes, where, axis, keep)
    count = UFUNCS[np.maximum](count - ddof, 0) if isinstance(count, LazyArray) else max(count - ddof, 0)
    return _given_out(_divided(spread, count, result), out)


@implements(np.std)
def std(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = _UNSET, *,
        where: Any = _UNSET, mean: Any = _UNSET, correction: Any = _UNSET) -> Any:  # fmt: skip
    """As `numpy.std`."""
    found = var(a, axis, dtype, None, ddof, keepdims, where=where, mean=mean, correction=correction)
    return _given_out(UFUNCS[np.sqrt](found), out)


@implements(np.ptp)
def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = _UNSET) -> Any:
    """As `numpy.ptp`."""
    keep = keepdims is not _UNSET and bool(keepdims)
    high = ufunc_reduce(UFUNCS[np.maximum], a, axis, None, None, keep)
    return UFUNCS[np.subtract](high, ufunc_reduce(UFUNCS[np.minimum], a, axis, None, None, keep), out=out)


@implements(np.round, *([np.around] if np.around is not np.round else []))
def round_(a: Any, decimals: Any = 0, out: Any = None) -> Any:
    """As `numpy.round`."""
    x = as_lazy(a)
    places = decimals.__index__()
    if x.dtype.kind == "b":
        x = LazyArray._new(cast(x._value(), np.dtype(np.float16)), scalar=x._scalar)
    if x.dtype.kind in "iu" and places >= 0:
        return UFUNCS[np.positive](x, out=out)
    if x.dtype.kind == "c":
        from lazyarr.ops.elementwise import COMPLEX
        from lazyarr.runtime import record

        parts = (round_(x.real, places), round_(x.imag, places))
        value = record(COMPLEX, *(p._value() for p in parts))
        return finish(value, reduce_out(out)) if value.type.shape == () and x._scalar or out is not None else (
            LazyArray._new(value, x._copy_strides("K", x.dtype.itemsize)))  # fmt: skip
    if places == 0:
        return UFUNCS[np.rint](x, out=out)
    factor = 10.0 ** abs(places)
    multiply, divide = UFUNCS[np.multiply], UFUNCS[np.divide]
    scaled = multiply(x, factor) if places > 0 else divide(x, factor)
    rounded = UFUNCS[np.rint](scaled)
    result = divide(rounded, factor) if places > 0 else multiply(rounded, factor)
    if result.dtype != x.dtype:
        result = LazyArray._new(cast(result._value(), x.dtype), scalar=result._scalar)
    return result if out is None else finish(result._value(), reduce_out(out))


@implements(np.trace)
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Any:
    """As `numpy.trace`."""
    from lazyarr.numpy._shape import diagonal

    return ufunc_reduce(UFUNCS[np.add], diagonal(a, offset, axis1, axis2), -1, dtype, out)
