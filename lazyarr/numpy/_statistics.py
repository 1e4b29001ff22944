"""Means and variances, rounding, and other functions whose NumPy definition is a method in C."""

from __future__ import annotations

import math
import operator
import sys
import warnings
from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.convert import as_lazy, cast
from lazyarr.dispatch import UFUNCS, implements, tell
from lazyarr.numpy._reduce import finish, keeps, normalized_axes, one_axis, reduce_out, ufunc_reduce
from lazyarr.ops.create import const
from lazyarr.ops.elementwise import ELEMENTWISE
from lazyarr.runtime import record
from lazyarr.source import user_line

_UNSET = np._NoValue


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """Axes of a mean; unlike a sum's, NumPy counts them, so that a 0-d array has none at all."""
    if ndim == 0 and axis is not None:
        for one in axis if isinstance(axis, tuple) else (axis,):
            one_axis(one, 0)
    return normalized_axes(axis, ndim)


def _count(x: LazyArray, axes: tuple[int, ...], where: Any, axis: Any, keepdims: Any) -> Any:
    """Number of elements that each result combines: a `numpy.intp`, or an array where a mask decides."""
    if where is _UNSET or where is True:
        count = math.prod([x.shape[a] for a in axes])
        # A length known at run time only counts as the NumPy integer it would be.
        return np.intp(count) if type(count) is int else as_lazy(count + 0)._as_scalar()
    from lazyarr.numpy._shape import broadcast_to

    spread = broadcast_to(as_lazy(where), x.shape)
    return ufunc_reduce(UFUNCS[np.add], spread, axis, np.dtype(np.intp), None, keepdims)


def _sum(x: Any, axis: Any, dtype: Any, out: Any, keepdims: bool, where: Any) -> LazyArray:
    found: LazyArray = ufunc_reduce(UFUNCS[np.add], x, axis, dtype, out, keepdims, _UNSET,
                                    True if where is _UNSET else where)  # fmt: skip
    return found


def _divide_in_place(total: LazyArray, count: Any, out: LazyArray | None) -> LazyArray:
    """``total / count`` in total's dtype; in `out` if that is what `total` is."""
    if type(count) is np.intp and total.dtype == np.float64 and out is None:
        value = record(ELEMENTWISE["divide"], total._value(), const(float(count), total.dtype))
        return LazyArray._new(value, total._copy_strides("K", 8), total._scalar)
    quotient: LazyArray = UFUNCS[np.divide](total, count)
    value = cast(quotient._value(), total.dtype)
    if out is not None:
        out._assign(value)
        return out
    return LazyArray._new(value, quotient._copy_strides("K", value.type.dtype.itemsize), quotient._scalar)


def _warn_if_empty(too_few: Any, message: str) -> None:
    # Where a mask decides, the count is data, which no warning is worth waiting for.
    if not isinstance(too_few, LazyArray) and too_few:
        tell(warnings.warn_explicit, message, RuntimeWarning, *user_line(3))


@implements(np.mean, by_types=True)
def mean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = _UNSET, *,
         where: Any = _UNSET) -> Any:  # fmt: skip
    """As `numpy.mean`: integers in float64, float16 summed in float32."""
    x = as_lazy(a)
    keep = keepdims is not _UNSET and keeps(keepdims)
    count = _count(x, _axes(axis, x.ndim), where, axis, keep)
    _warn_if_empty(count == 0, "Mean of empty slice.")
    half = dtype is None and x.dtype == np.float16
    if dtype is None:
        dtype = np.dtype(np.float64) if x.dtype.kind in "bui" else np.dtype(np.float32) if half else None
    target = reduce_out(out)
    total = _sum(x, axis, dtype, target, keep, where)
    if half and total._scalar:
        quotient = UFUNCS[np.divide](total, count)
        return LazyArray._new(cast(quotient._value(), x.dtype), scalar=True)
    result = _divide_in_place(total, count, target)
    if half and target is None:
        return LazyArray._new(cast(result._value(), x.dtype), result._copy_strides("K", x.dtype.itemsize))
    return result


@implements(np.var, by_types=True)
def var(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = _UNSET, *,
        where: Any = _UNSET, mean: Any = _UNSET, correction: Any = _UNSET) -> Any:  # fmt: skip
    """As `numpy.var`: the mean of squared distances from the mean, in two sweeps."""
    if correction is not _UNSET:
        if ddof != 0:
            raise ValueError("ddof and correction can't be provided simultaneously.")
        ddof = correction
    x = as_lazy(a)
    keep = keepdims is not _UNSET and keeps(keepdims)
    axes = _axes(axis, x.ndim)
    count = _count(x, axes, where, axis, keep)
    _warn_if_empty(ddof >= count, "Degrees of freedom <= 0 for slice")
    if dtype is None and x.dtype.kind in "bui":
        dtype = np.dtype(np.float64)
    if mean is _UNSET or mean is None:
        total = _sum(x, axis, dtype, None, True, where)
        each = count.reshape(total.shape) if isinstance(count, LazyArray) and count.ndim else count
        center: Any = _divide_in_place(total, each, None)
    else:
        center = mean if isinstance(mean, (int, float, complex)) else as_lazy(mean)
    away = UFUNCS[np.subtract](x, center)
    if x.dtype.kind in "fiu" or away.dtype.kind != "c":
        square = UFUNCS[np.square](away)
    else:
        square = UFUNCS[np.square](away.real) + UFUNCS[np.square](away.imag)
    target = reduce_out(out)
    spread = _sum(square, axis, dtype, target, keep, where)
    if type(count) is np.intp and type(ddof) is int:
        return _divide_in_place(spread, np.maximum(count - ddof, 0), target)
    freedom = UFUNCS[np.maximum](UFUNCS[np.subtract](count, ddof), 0)
    return _divide_in_place(spread, freedom, target)


@implements(np.std, by_types=True)
def std(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = _UNSET, *,
        where: Any = _UNSET, mean: Any = _UNSET, correction: Any = _UNSET) -> Any:  # fmt: skip
    """As `numpy.std`."""
    found = var(a, axis, dtype, out, ddof, keepdims, where=where, mean=mean, correction=correction)
    if found._scalar:
        return LazyArray._new(cast(UFUNCS[np.sqrt](found)._value(), found.dtype), scalar=True)
    return UFUNCS[np.sqrt](found, out=found)


@implements(np.ptp, by_types=True)
def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = _UNSET) -> Any:
    """As `numpy.ptp`."""
    keep = keepdims is not _UNSET and keeps(keepdims)
    # (In NumPy's order: of nothing it says that there is no maximum, and `out` may be a part of `a`.)
    high = ufunc_reduce(UFUNCS[np.maximum], a, axis, None, out, keep)
    low = ufunc_reduce(UFUNCS[np.minimum], a, axis, None, None, keep)
    return UFUNCS[np.subtract](high, low, out=reduce_out(out))


#: The largest power of ten among floats: more places are infinitely many, as in C.
_MOST_PLACES = sys.float_info.max_10_exp


@implements(np.round, *([np.around] if np.around is not np.round else []), by_types=True)
def round_(a: Any, decimals: Any = 0, out: Any = None) -> Any:
    """As `numpy.round`."""
    x = as_lazy(a)
    places = operator.index(decimals)
    if abs(places) > _MOST_PLACES:
        np.round(np.zeros(1), places)  # raises where no C int has so many
    if x.dtype.kind == "b" and places:
        np.round(np.zeros(1, bool), places)  # raises: NumPy scales in place
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
    factor = 10.0 ** abs(places) if abs(places) <= _MOST_PLACES else np.inf
    multiply, divide = UFUNCS[np.multiply], UFUNCS[np.divide]
    scaled = multiply(x, factor) if places > 0 else divide(x, factor)
    rounded = UFUNCS[np.rint](scaled)
    result = divide(rounded, factor) if places > 0 else multiply(rounded, factor)
    if result.dtype != x.dtype:
        result = LazyArray._new(cast(result._value(), x.dtype), scalar=result._scalar)
    if out is None and result.ndim > 1:
        return LazyArray._new(result._value(), x._copy_strides("A", x.dtype.itemsize))
    return result if out is None else finish(result._value(), reduce_out(out))


@implements(np.trace)
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Any:
    """As `numpy.trace`."""
    from lazyarr.numpy._shape import diagonal

    return ufunc_reduce(UFUNCS[np.add], diagonal(a, offset, axis1, axis2), -1, dtype, out)
