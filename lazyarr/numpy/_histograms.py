"""Counting elements by the bin they fall into: `histogram` and its relatives, and `digitize`.

The arithmetic is NumPy's, step by step, so that an element at the edge of a bin is counted where NumPy counts it. What
NumPy decides by looking at data (an empty range, the direction of the bins) is a selection here.
"""

from __future__ import annotations

import operator
import warnings
from typing import Any

import numpy as np

from lazyarr import strides as geometry
from lazyarr.array import LazyArray
from lazyarr.convert import as_lazy, cast
from lazyarr.dispatch import NotCompiled, implements
from lazyarr.ir.op import OPS
from lazyarr.numpy._choose import element, every
from lazyarr.numpy._positions import known
from lazyarr.numpy._through import lazy
from lazyarr.runtime import add_check, record

_F64 = np.dtype(np.float64)


def _is_known(*numbers: Any) -> bool:
    return not any(isinstance(x, LazyArray) for x in numbers)


def _all(condition: Any) -> Any:
    return lazy.all(condition) if isinstance(condition, LazyArray) else np.all(condition)


def _require(condition: Any, message: str) -> None:
    """A ValueError unless `condition` holds: now if it is known, else when the program runs."""
    if isinstance(condition, LazyArray):
        add_check(every(condition._value()), "ValueError", message)
    elif not np.all(condition):
        raise ValueError(message)


def _outer_edges(a: LazyArray, limits: Any) -> tuple[Any, Any]:
    """The first and the last edge: the range asked for, or that of the data; never empty."""
    if limits is not None:
        first, last = limits
        _require(first <= last, "max must be larger than min in range parameter.")
        _require(lazy.isfinite(first) & lazy.isfinite(last), f"supplied range of [{first}, {last}] is not finite"
                 if _is_known(first, last) else "supplied range is not finite")  # fmt: skip
    elif a.size == 0:
        first, last = 0, 1
    else:
        first, last = a.min(), a.max()
        if a.dtype.kind == "f":
            _require(lazy.isfinite(first) & lazy.isfinite(last), "autodetected range is not finite")
    if _is_known(first, last):
        return (first - 0.5, last + 0.5) if first == last else (first, last)
    empty = first == last
    return lazy.where(empty, first - 0.5, first), lazy.where(empty, last + 0.5, last)


def _increasing(edges: Any) -> None:
    _require(_all(edges[:-1] <= edges[1:]), "`bins` must increase monotonically, when an array")


def _raveled(a: Any, weights: Any) -> tuple[LazyArray, LazyArray | None]:
    x = as_lazy(a)
    if x.dtype == np.bool_:
        warnings.warn(f"Converting input from {x.dtype} to {np.uint8} for compatibility.", RuntimeWarning, stacklevel=3)
        x = x.astype(np.uint8)
    if x.dtype.kind == "c":
        raise NotCompiled("complex data")
    w = None
    if weights is not None:
        w = as_lazy(weights)
        if w.shape != x.shape:
            raise ValueError("weights should have the same shape as a.")
        w = lazy.ravel(w)
    return lazy.ravel(x), w


def _bin_edges(a: LazyArray, bins: Any, limits: Any) -> tuple[Any, tuple[Any, Any, int] | None]:
    """The edges, and for bins of equal width the two outer ones and the number of bins."""
    if isinstance(bins, str):
        raise NotCompiled(f"bins chosen by the estimator {bins!r}")
    if np.ndim(bins) == 0:
        try:
            n = operator.index(bins)
        except TypeError:
            raise TypeError("`bins` must be an integer, a string, or an array") from None
        if n < 1:
            raise ValueError("`bins` must be positive, when an integer")
        first, last = _outer_edges(a, limits)
        dtype = lazy.result_type(first, last, a)
        if dtype.kind in "iu":
            dtype = np.result_type(dtype, float)
        edges = lazy.linspace(first, last, n + 1, endpoint=True, dtype=dtype)
        _require(_all(edges[:-1] < edges[1:]),
                 f"Too many bins for data range. Cannot create {n} finite-sized bins.")  # fmt: skip
        return edges, (first, last, n)
    if np.ndim(bins) == 1:
        edges = as_lazy(bins)
        _increasing(edges if isinstance(bins, LazyArray) else np.asarray(bins))
        return edges, None
    raise ValueError("`bins` must be 1d, when an array")


def _difference(a: Any, b: Any) -> Any:
    """``a - b`` for ``a >= b``, in integers without overflow."""
    dtype = lazy.result_type(a, b)
    if dtype.kind != "i":
        return lazy.subtract(a, b, dtype=dtype)
    unsigned = np.dtype(f"u{dtype.itemsize}")
    return lazy.subtract(as_lazy(a).astype(dtype).astype(unsigned), as_lazy(b).astype(dtype).astype(unsigned))


def _equal_width(a: LazyArray, edges: LazyArray, first: Any, last: Any, n: int) -> Any:
    """The bin of each element; `n` for what is outside."""
    keep = (a >= first) & (a <= last)
    x = a.astype(edges.dtype)
    place = (_difference(x, first) / _difference(last, first)) * n
    index = lazy.where(keep, place, 0).astype(np.int64)
    index = index - (index == n)
    # The computed index may be off by one near an edge.
    index = index - (keep & (x < element(edges, index)))
    beyond = keep & (x >= element(edges, index + 1)) & (index != n - 1)
    return lazy.where(keep, index + beyond, n)


def _between_edges(a: LazyArray, edges: Any) -> Any:
    """The bin of each element between given edges; out of range for what is outside."""
    bins = len(edges) - 1
    index = lazy.searchsorted(edges, a, side="right") - 1
    return lazy.where(a == edges[-1], bins - 1, index)


def _counted(index: Any, weights: LazyArray | None, n: int) -> Any:
    """How many elements (or what weight) each of `n` bins holds; indices out of range count nowhere."""
    value = index._value()
    if weights is None:
        return LazyArray._new(record(OPS["bincount"], value, length=n))
    if weights.dtype.kind == "c":
        parts = [_counted(index, part, n) for part in (weights.real, weights.imag)]
        total = lazy.zeros(n, weights.dtype)
        total.real, total.imag = parts
        return total
    summed = LazyArray._new(record(OPS["bincount_weights"], value, cast(weights._value(), _F64), length=n))
    if weights.dtype.kind in "iu":
        return summed.astype(np.int64).astype(weights.dtype)
    return summed.astype(weights.dtype)


@implements(np.histogram)
def histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    """As `numpy.histogram`; edges that depend on data are computed with the program."""
    x, w = _raveled(a, weights)
    edges, uniform = _bin_edges(x, bins, range)
    n = len(edges) - 1
    index = _between_edges(x, edges) if uniform is None else _equal_width(x, as_lazy(edges), *uniform)
    counts = _counted(index, w, n)
    if density:
        widths = lazy.diff(edges).astype(float)
        return counts / widths / counts.sum(), edges
    return counts, edges


@implements(np.histogram_bin_edges)
def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    """As `numpy.histogram_bin_edges`."""
    x, _ = _raveled(a, weights)
    return _bin_edges(x, bins, range)[0]


@implements(np.histogramdd)
def histogramdd(sample: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    """As `numpy.histogramdd`."""
    shape = getattr(sample, "shape", ())
    points = as_lazy(sample) if len(shape) == 2 else lazy.atleast_2d(sample).T
    axes = points.shape[1]
    if not isinstance(bins, (list, tuple)) and np.ndim(bins) == 0:
        bins = [bins] * axes
    if len(bins) != axes:
        raise ValueError("The dimension of bins must be equal to the dimension of the sample x.")
    if range is None:
        range = (None,) * axes
    elif len(range) != axes:
        raise ValueError("range argument must have one entry per dimension")
    edges = [_edges_of_axis(points[:, k], bins[k], range[k], k) for k in np.arange(axes).tolist()]
    sizes = [len(e) - 1 for e in edges]
    flat: Any = 0
    inside: Any = True
    for k, (along, size) in enumerate(zip(edges, sizes, strict=True)):
        index = _between_edges(points[:, k], along)
        inside = inside & (index >= 0) & (index < size)
        flat = flat * size + index
    total = int(np.prod(sizes, dtype=int))
    w = None if weights is None else as_lazy(weights)
    if w is not None and w.dtype.kind == "c":
        raise TypeError(f"Cannot cast array data from {w.dtype!r} to dtype('float64') according to the rule 'safe'")
    counts = _counted(lazy.where(inside, flat, total), w if w is None else lazy.asarray(w, _F64), total)
    counts = counts.astype(float).reshape(sizes)
    if density:
        whole = counts.sum()
        for k, along in enumerate(edges):
            widths = lazy.diff(along)
            counts = counts / widths.reshape([len(widths) if j == k else 1 for j in np.arange(axes).tolist()])
        counts = counts / whole
    else:
        # NumPy's result is the inner part of a table with a border.
        counts = LazyArray._new(counts._value(), geometry.contiguous(tuple(n + 2 for n in sizes), 8))
    return counts, edges


def _edges_of_axis(x: LazyArray, bins: Any, limits: Any, axis: int) -> Any:
    if np.ndim(bins) == 0:
        if known(bins) < 1:
            raise ValueError(f"`bins[{axis}]` must be positive, when an integer")
        first, last = _outer_edges(x, limits)
        try:
            n = operator.index(bins)
        except TypeError as error:
            raise TypeError(f"`bins[{axis}]` must be an integer, when a scalar") from error
        return lazy.linspace(first, last, n + 1)
    if np.ndim(bins) != 1:
        raise ValueError(f"`bins[{axis}]` must be a scalar or 1d array")
    edges = bins if isinstance(bins, LazyArray) else np.asarray(bins)
    _require(_all(edges[:-1] <= edges[1:]), f"`bins[{axis}]` must be monotonically increasing, when an array")
    return as_lazy(edges)


@implements(np.histogram2d)
def histogram2d(x: Any, y: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    """As `numpy.histogram2d`."""
    if len(x) != len(y):
        raise ValueError("x and y must have the same length.")
    count = len(bins) if hasattr(bins, "__len__") else 1
    if count not in (1, 2):
        bins = [bins, bins]
    found, edges = histogramdd([x, y], bins, range, density, weights)
    return found, edges[0], edges[1]


@implements(np.digitize)
def digitize(x: Any, bins: Any, right: bool = False) -> Any:
    """As `numpy.digitize`."""
    values = as_lazy(x)
    if values.dtype.kind == "c":
        raise TypeError("x may not be complex")
    table: Any = as_lazy(bins)
    if table.dtype.kind == "c":
        raise TypeError(f"Cannot cast array data from {table.dtype!r} to dtype('float64') according to the rule 'safe'")
    if table.ndim != 1:
        raise ValueError("object too deep for desired array" if table.ndim else "object of too small depth for desired "
                         "array")  # fmt: skip
    side = "left" if right else "right"
    given = bins if isinstance(bins, LazyArray) else np.asarray(bins)
    rising, falling = _all(given[1:] >= given[:-1]), _all(given[1:] <= given[:-1])
    _require(rising | falling, "bins must be monotonically increasing or decreasing")
    if not isinstance(rising, LazyArray):
        found = lazy.searchsorted(table if rising else table[::-1], values, side=side)
        return found if rising else len(given) - found
    # Which way the bins run is known when the program runs.
    found = lazy.searchsorted(lazy.where(rising, table, table[::-1]), values, side="left" if right else "right")
    chosen = lazy.where(rising, found, len(given) - found)
    return LazyArray._new(chosen._value(), scalar=True) if values.ndim == 0 else chosen
