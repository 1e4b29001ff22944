"""Interpolation, differences along coordinates, and sliding products."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.convert import as_lazy, cast
from lazyarr.dispatch import holds_lazy, implements
from lazyarr.ir.op import OPS
from lazyarr.numpy._choose import element
from lazyarr.numpy._positions import constant
from lazyarr.numpy._select import common_dtype
from lazyarr.numpy._through import SUBSTITUTES, lazy, rebound, through_names
from lazyarr.runtime import record

_F64 = np.dtype(np.float64)
_numpy: Any = importlib.import_module("numpy.lib._function_base_impl")
_multiarray: Any = np._core.multiarray


def _mode(mode: Any) -> str:
    """A mode's full name."""
    names = ("valid", "same", "full")
    if isinstance(mode, int) and 0 <= mode < len(names):
        return names[mode]
    if mode not in names:
        raise ValueError(f"mode must be one of 'valid', 'same', or 'full' (got {mode!r})")
    return str(mode)


def _sliding(a: Any, v: Any, mode: Any = "valid") -> LazyArray:
    """``result[k] = sum(a[k + j] * v[j])``: the function beneath `numpy.convolve`."""
    x, w = as_lazy(a), as_lazy(v)
    x, w = (y if y.ndim else y.reshape(1) for y in (x, w))
    if x.ndim > 1 or w.ndim > 1:
        raise ValueError("object too deep for desired array")
    if not x.size or not w.size:
        raise ValueError("second array argument cannot be empty" if x.size else "first array argument cannot be empty")
    dtype = common_dtype(x, w)
    swapped = x.size < w.size
    if swapped:
        x, w = w, x
    value = record(OPS["correlate"], cast(x._value(), dtype), cast(w._value(), dtype), mode=_mode(mode))
    result = LazyArray._new(value)
    return result[::-1].copy() if swapped else result


def _correlate(a: Any, v: Any, mode: Any = "valid") -> LazyArray:
    """The function beneath `numpy.correlate`: as `_sliding`, with the second vector conjugated."""
    x, w = as_lazy(a), as_lazy(v)
    return _sliding(x, w.conj() if w.dtype.kind == "c" else w, mode)


SUBSTITUTES[id(_multiarray.correlate)] = _sliding
SUBSTITUTES[id(_multiarray.correlate2)] = _correlate
through_names(np, "convolve correlate")


def _interpolated(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None) -> Any:
    """The function beneath `numpy.interp`, step by step as NumPy computes it."""
    if np.ndim(xp) != 1 or np.ndim(fp) != 1:
        raise ValueError("object too deep for desired array" if max(np.ndim(xp), np.ndim(fp)) > 1 else
                         "object of too small depth for desired array")  # fmt: skip
    at, grid, values = lazy.asarray(x, _F64), lazy.asarray(xp, _F64), lazy.asarray(fp, _F64)
    scalar = np.ndim(x) == 0
    n = grid.size
    if n == 0:
        raise ValueError("array of sample points is empty")
    if n != values.size:
        raise ValueError("fp and xp are not of the same length.")
    low = values[0] if left is None else left
    high = values[-1] if right is None else right
    if n == 1:
        inside = values[0]
    else:
        # The last grid point not above x; the one before the last where x is at or beyond the last.
        found = lazy.searchsorted(grid, at, side="right") - 1
        k = lazy.clip(found, 0, n - 2)
        x0: Any = element(grid, k)
        x1: Any = element(grid, k + 1)
        y0: Any = element(values, k)
        y1: Any = element(values, k + 1)
        slope = (y1 - y0) / (x1 - x0)
        result = slope * (at - x0) + y0
        # Where one end gives NaN NumPy tries the other, and takes equal ends for a constant.
        again = slope * (at - x1) + y1
        again = lazy.where(lazy.isnan(again) & (y0 == y1), y0, again)
        result = lazy.where(lazy.isnan(result), again, result)
        inside = lazy.where(found >= n - 1, values[-1], lazy.where(at == x0, y0, result))
    found = lazy.where(at < grid[0], low, lazy.where(at > grid[-1], high, inside))
    if n > 1:
        found = lazy.where(lazy.isnan(at), at, found)
    found = found.astype(_F64)
    return LazyArray._new(found._value(), scalar=True) if scalar else found


def _interpolated_complex(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None) -> Any:
    values = lazy.asarray(fp, np.complex128)
    parts = []
    for name in ("real", "imag"):
        ends = [None if end is None else getattr(np, name)(end) for end in (left, right)]
        parts.append(_interpolated(x, xp, getattr(values, name), *ends))
    from lazyarr.ops.elementwise import COMPLEX

    value = record(COMPLEX, *(part._value() for part in parts))
    return LazyArray._new(value, scalar=np.ndim(x) == 0)


SUBSTITUTES[id(_numpy.compiled_interp)] = _interpolated
SUBSTITUTES[id(_numpy.compiled_interp_complex)] = _interpolated_complex
through_names(np, "interp")


@implements(np.i0)
def i0(x: Any) -> Any:
    """As `numpy.i0`."""
    given: Any = as_lazy(x)
    if given.dtype.kind == "c":
        raise TypeError("i0 not supported for complex values")
    if given.dtype.kind != "f":
        given = given.astype(float)
    away = lazy.abs(given)
    small, large = (rebound(getattr(_numpy, name)) for name in ("_i0_1", "_i0_2"))
    found = lazy.where(away <= 8.0, small(away), large(lazy.maximum(away, 8.0))).astype(given.dtype)
    return LazyArray._new(found._value(), away._copy_strides("K", given.itemsize))


@implements(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """As `numpy.gradient`; whether coordinates are evenly spaced is a selection, not a look at the data."""
    x: Any = as_lazy(f)
    axes = tuple(range(x.ndim)) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, x.ndim)
    if not varargs:
        spacing: list[Any] = [1.0] * len(axes)
    elif len(varargs) == 1 and np.ndim(varargs[0]) == 0:
        spacing = list(varargs) * len(axes)
    elif len(varargs) == len(axes):
        spacing = list(varargs)
    else:
        raise TypeError("invalid number of arguments")
    if edge_order > 2:
        raise ValueError("'edge_order' greater than 2 not supported")
    if x.dtype.kind in "iu":
        # Differences of unsigned integers would wrap.
        x = x.astype(np.float64)
    for at, h in zip(axes, spacing, strict=True):
        if np.ndim(h) == 1 and len(h) != x.shape[at]:
            raise ValueError("when 1d, distances must match the length of the corresponding dimension")
        if np.ndim(h) > 1:
            raise ValueError("distances must be either scalars or 1d")
        if x.shape[at] < edge_order + 1:
            raise ValueError("Shape of array too small to calculate a numerical gradient, at least (edge_order + 1) "
                             "elements are required.")  # fmt: skip
    found = [_gradient_along(x, at, h, edge_order) for at, h in zip(axes, spacing, strict=True)]
    return found[0] if len(found) == 1 else tuple(found)


def _gradient_along(x: Any, axis: int, h: Any, edge_order: int) -> Any:
    if np.ndim(h) == 0:
        return _even_gradient(x, axis, h, edge_order)
    known = not holds_lazy(h)
    steps = (np.asarray if known else as_lazy)(h)
    if steps.dtype.kind in "iu":
        steps = steps.astype(np.float64)
    steps = np.diff(steps) if known else lazy.diff(steps)
    even = (steps == steps[0]).all()
    if known:
        if even:
            return _even_gradient(x, axis, steps[0], edge_order)
        return _uneven_gradient(x, axis, constant(steps), edge_order)
    uneven = _uneven_gradient(x, axis, steps, edge_order)
    return lazy.where(even, _even_gradient(x, axis, steps[0], edge_order), uneven).astype(uneven.dtype)


def _cut(x: Any, axis: int, start: int | None, stop: int | None) -> Any:
    return x[(slice(None),) * axis + (slice(start, stop),)]


def _even_gradient(x: Any, axis: int, h: Any, edge_order: int) -> Any:
    middle = (_cut(x, axis, 2, None) - _cut(x, axis, None, -2)) / (2.0 * h)
    if edge_order == 1:
        first = (_cut(x, axis, 1, 2) - _cut(x, axis, 0, 1)) / h
        last = (_cut(x, axis, -1, None) - _cut(x, axis, -2, -1)) / h
    else:
        a, b, c = -1.5 / h, 2.0 / h, -0.5 / h
        first = a * _cut(x, axis, 0, 1) + b * _cut(x, axis, 1, 2) + c * _cut(x, axis, 2, 3)
        a, b, c = 0.5 / h, -2.0 / h, 1.5 / h
        last = a * _cut(x, axis, -3, -2) + b * _cut(x, axis, -2, -1) + c * _cut(x, axis, -1, None)
    return _joined(x, axis, first, middle, last)


def _uneven_gradient(x: Any, axis: int, steps: Any, edge_order: int) -> Any:
    along = tuple(-1 if k == axis else 1 for k in range(x.ndim))
    before, after = steps[:-1], steps[1:]
    a = (-after / (before * (before + after))).reshape(along)
    b = ((after - before) / (before * after)).reshape(along)
    c = (before / (after * (before + after))).reshape(along)
    middle = a * _cut(x, axis, None, -2) + b * _cut(x, axis, 1, -1) + c * _cut(x, axis, 2, None)
    if edge_order == 1:
        first = (_cut(x, axis, 1, 2) - _cut(x, axis, 0, 1)) / steps[0]
        last = (_cut(x, axis, -1, None) - _cut(x, axis, -2, -1)) / steps[-1]
    else:
        p, q = steps[0], steps[1]
        weights = (-(2.0 * p + q) / (p * (p + q)), (p + q) / (p * q), -p / (q * (p + q)))
        first = sum_of(weights, (_cut(x, axis, 0, 1), _cut(x, axis, 1, 2), _cut(x, axis, 2, 3)))
        p, q = steps[-2], steps[-1]
        weights = (q / (p * (p + q)), -(q + p) / (p * q), (2.0 * q + p) / (q * (p + q)))
        last = sum_of(weights, (_cut(x, axis, -3, -2), _cut(x, axis, -2, -1), _cut(x, axis, -1, None)))
    return _joined(x, axis, first, middle, last)


def sum_of(weights: Any, terms: Any) -> Any:
    """The weighted sum, from left to right."""
    (a, b, c), (x, y, z) = weights, terms
    return a * x + b * y + c * z


def _joined(x: Any, axis: int, first: Any, middle: Any, last: Any) -> Any:
    """The gradient in the dtype of the array, laid out as the array."""
    value = lazy.concatenate([part.astype(x.dtype) for part in (first, middle, last)], axis)._value()
    return LazyArray._new(value, x._copy_strides("K", x.itemsize))
