"""Weighted averages, and reductions that skip NaN.

NumPy warns where a slice holds only NaN and looks at the data for that; here nothing is looked at and nothing warned.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.convert import as_lazy
from lazyarr.dispatch import UFUNCS, NotCompiled, implements
from lazyarr.ir.types import NAMES
from lazyarr.numpy._choose import every
from lazyarr.numpy._reduce import finish, reduce_out, ufunc_reduce
from lazyarr.numpy._through import lazy
from lazyarr.runtime import add_check

_UNSET = np._NoValue


def _given(**kwargs: Any) -> dict[str, Any]:
    return {name: value for name, value in kwargs.items() if value is not _UNSET}


@implements(np.average)
def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = _UNSET) -> Any:
    """As `numpy.average`; that weights sum to zero is found when the program runs."""
    x: Any = as_lazy(a)
    keep = _given(keepdims=keepdims)
    axes = None if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, x.ndim, argname="axis")
    if weights is None:
        mean = lazy.mean(x, axes, **keep)
        scale = np.asarray(x.size / max(mean.size, 1), mean.dtype)[()]
        if not returned:
            return mean
        return mean, (lazy.full(mean.shape, scale) if mean.ndim else as_lazy(scale))
    w = _weights(as_lazy(weights), x, axes)
    dtype = np.result_type(x.dtype, w.dtype, *(["f8"] if x.dtype.kind in "iub" else []))
    scale = w.sum(axis=axes, dtype=dtype, **keep)
    nonzero = scale != 0.0
    add_check(every(nonzero._value()), "ZeroDivisionError", "Weights sum to zero, can't be normalized")
    found = lazy.multiply(x, w, dtype=dtype).sum(axes, **keep) / scale
    if not returned:
        return found
    if scale.shape != found.shape:
        scale = lazy.broadcast_to(scale, found.shape).copy()
    return found, scale


def _weights(w: Any, x: Any, axes: Any) -> Any:
    """Weights with the shape of `x`, or broadcasting to it along `axes`."""
    if w.shape == x.shape:
        return w
    if axes is None:
        raise TypeError("Axis must be specified when shapes of a and weights differ.")
    if w.shape != tuple(x.shape[k] for k in axes):
        raise ValueError("Shape of weights must be consistent with shape of a along specified axis.")
    moved = w.transpose(tuple(np.argsort(axes).tolist()))
    return moved.reshape(tuple(n if k in axes else 1 for k, n in enumerate(x.shape)))


def _extreme(ufunc: np.ufunc) -> Any:
    def function(a: Any, axis: Any = None, out: Any = None, keepdims: Any = _UNSET, initial: Any = _UNSET,
                 where: Any = _UNSET) -> Any:  # fmt: skip
        return ufunc_reduce(UFUNCS[ufunc], a, axis, None, out, keepdims is not _UNSET and keepdims, initial,
                            True if where is _UNSET else where)  # fmt: skip

    return function


implements(np.nanmax)(_extreme(np.fmax))
implements(np.nanmin)(_extreme(np.fmin))


def _position(name: str) -> Any:
    fill = -np.inf if name == "argmax" else np.inf

    def function(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = _UNSET) -> Any:
        x = as_lazy(a)
        if x.dtype.kind in "fc":
            missing = lazy.isnan(x)
            if x.size:
                some = ~lazy.all(missing, axis=axis)
                add_check(every(some._value()), "ValueError", "All-NaN slice encountered")
            x = lazy.where(missing, x.dtype.type(fill), x)
        return getattr(lazy, name)(x, axis=axis, out=out, **_given(keepdims=keepdims))

    return function


implements(np.nanargmax)(_position("argmax"))
implements(np.nanargmin)(_position("argmin"))


def _without_nan(x: Any) -> tuple[Any, Any]:
    """The array with zeros for NaN, and where it has none."""
    present = ~lazy.isnan(x)
    values = lazy.where(present, x, x.dtype.type(0))
    # (NumPy writes the zeros into a copy.)
    return LazyArray._new(values._value(), x._copy_strides("K", x.itemsize)), present


def _check_dtypes(dtype: Any, out: Any) -> None:
    if dtype is not None and np.dtype(dtype).kind not in "fc":
        raise TypeError("If a is inexact, then dtype must be inexact")
    if dtype is not None and np.dtype(dtype) not in NAMES:
        raise NotCompiled(f"dtype {np.dtype(dtype)}")
    if out is not None and out.dtype.kind not in "fc":
        raise TypeError("If a is inexact, then out must be inexact")


def _quotient(total: Any, count: Any, out: Any) -> Any:
    """``total / count`` in the dtype of `total`, or written to ``out=``."""
    found = lazy.divide(total, count)
    if out is not None:
        return finish(found.astype(out.dtype)._value(), reduce_out(out))
    return _laid_out_as(total, found.astype(total.dtype))


def _laid_out_as(like: Any, found: Any) -> Any:
    """`found` in the order in memory of `like`, which NumPy writes it over."""
    return LazyArray._new(found._value(), like.strides) if found.ndim > 1 else found


@implements(np.nanmean)
def nanmean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = _UNSET, *,
            where: Any = _UNSET) -> Any:  # fmt: skip
    """As `numpy.nanmean`."""
    x = as_lazy(a)
    options = _given(keepdims=keepdims, where=where)
    if x.dtype.kind not in "fc":
        return lazy.mean(x, axis=axis, dtype=dtype, out=out, **options)
    _check_dtypes(dtype, out)
    values, present = _without_nan(x)
    count = lazy.sum(present, axis=axis, dtype=np.intp, **options)
    return _quotient(lazy.sum(values, axis=axis, dtype=dtype, **options), count, out)


@implements(np.nanvar)
def nanvar(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = _UNSET, *,
           where: Any = _UNSET, mean: Any = _UNSET, correction: Any = _UNSET) -> Any:  # fmt: skip
    """As `numpy.nanvar`."""
    if correction is not _UNSET:
        if ddof != 0:
            raise ValueError("ddof and correction can't be provided simultaneously.")
        ddof = correction
    x = as_lazy(a)
    options = _given(keepdims=keepdims, where=where)
    if x.dtype.kind not in "fc":
        return lazy.var(x, axis=axis, dtype=dtype, out=out, ddof=ddof, **options, **_given(mean=mean))
    _check_dtypes(dtype, out)
    values, present = _without_nan(x)
    whole = {**_given(where=where), "keepdims": True}
    if mean is _UNSET:
        count = lazy.sum(present, axis=axis, dtype=np.intp, **whole)
        mean = _quotient(lazy.sum(values, axis=axis, dtype=dtype, **whole), count, None)
    away = lazy.where(present, lazy.subtract(values, mean).astype(values.dtype), values.dtype.type(0))
    away = _laid_out_as(values, away)
    square = lazy.multiply(away, away.conj()).real if x.dtype.kind == "c" else lazy.multiply(away, away)
    spread = lazy.sum(square, axis=axis, dtype=dtype, **options)
    freedom = lazy.sum(present, axis=axis, dtype=np.intp, **options) - ddof
    found = _quotient(spread, freedom, None)
    found = _laid_out_as(spread, lazy.where(freedom <= 0, found.dtype.type(np.nan), found))
    if found.ndim == 0:
        found = LazyArray._new(found._value(), scalar=True)
    if out is not None:
        return finish(found.astype(out.dtype)._value(), reduce_out(out))
    return found


@implements(np.nanstd)
def nanstd(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = _UNSET, *,
           where: Any = _UNSET, mean: Any = _UNSET, correction: Any = _UNSET) -> Any:  # fmt: skip
    """As `numpy.nanstd`."""
    if out is not None and as_lazy(a).dtype.kind in "fc":
        _check_dtypes(dtype, out)
    spread = nanvar(a, axis, dtype, None, ddof, keepdims, where=where, mean=mean, correction=correction)
    return lazy.sqrt(spread, out=out)
