"""Median, percentile and quantile, with and without NaN.

The public functions are NumPy's own definitions (`_definitions`); here is what they do to the data. Positions and
weights of the elements that count are computed by NumPy from ``q`` and the number of elements, so that every method is
NumPy's.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from lazyarr import windows
from lazyarr.array import LazyArray
from lazyarr.convert import as_lazy
from lazyarr.dispatch import NotCompiled
from lazyarr.ir.op import OPS
from lazyarr.ir.types import NAMES
from lazyarr.numpy._choose import along_axis, element
from lazyarr.numpy._positions import constant, known
from lazyarr.numpy._reduce import finish, reduce_out
from lazyarr.numpy._through import SUBSTITUTES, lazy, rebound, through_names
from lazyarr.ops.sort import SHORT, SHORT_WHOLE
from lazyarr.runtime import record

_numpy: Any = importlib.import_module("numpy.lib._function_base_impl")
_nan_numpy: Any = importlib.import_module("numpy.lib._nanfunctions_impl")


#: Elements up to which sorting takes no longer than finding some places: it has no step in Python.
_SORTED = 512


def _in_place(x: LazyArray, positions: Any, axis: int, short: int = SHORT_WHOLE) -> LazyArray:
    """`x`, itself partitioned so that sorted elements stand at `positions`; sorted if no longer than `short`."""
    n = x.shape[axis]
    if n <= short:
        x._assign(record(OPS["sort_short"], x._value(), axis=axis % x.ndim))
        return x
    if n <= _SORTED:
        x.sort(axis=axis)
        return x
    kth = np.unique(np.asarray(positions, np.int64).reshape(-1) % n)
    x.partition(tuple(kth.tolist()), axis=axis)
    return x


def _method(name: str) -> Any:
    if name not in _numpy._QuantileMethods:
        raise ValueError(f"{name!r} is not a valid method. Use one of: {_numpy._QuantileMethods.keys()}")
    return _numpy._QuantileMethods[name]


def _inexact(x: LazyArray) -> bool:
    return x.dtype.kind in "fc"


def _between(a: Any, b: Any, t: Any) -> Any:
    """`a` and `b` interpolated at `t`, from the nearer end."""
    difference = b - a
    low = lazy.add(a, difference * t)
    high = lazy.subtract(b, difference * (1 - t), dtype=low.dtype, casting="unsafe")
    if np.ndim(t) == 0 and not isinstance(t, LazyArray):
        return high if t >= 0.5 else low
    return lazy.where(t >= 0.5, high, low)


def _taken(ordered: LazyArray, positions: Any) -> LazyArray:
    """Elements of the first axis at known positions."""
    found = element(ordered, constant(np.asarray(positions, np.int64) % ordered.shape[0]))
    return LazyArray._new(found._value(), scalar=found.ndim == 0)


def _given_out(result: Any, out: Any) -> Any:
    if out is None:
        return result
    return finish(as_lazy(result)._value(), reduce_out(out))


def _quantile(arr: Any, quantiles: Any, axis: int = -1, method: str = "linear", out: Any = None, weights: Any = None,
              weak_q: bool = False) -> Any:  # fmt: skip
    """Quantiles along one axis of `arr`, which is reordered; the axes of `quantiles` come first."""
    if weights is not None:
        raise NotCompiled("weights")
    x = as_lazy(arr)
    n = x.shape[axis]
    if axis != 0:
        x = lazy.moveaxis(x, axis, 0)
    props = _method(method)
    if n == 0:
        raise IndexError("index -1 is out of bounds for axis 0 with size 0")
    wanted = np.asanyarray(known(quantiles))
    if wanted.dtype not in NAMES:
        raise NotCompiled(f"dtype {wanted.dtype}")
    virtual = np.asanyarray(props["get_virtual_index"](n, wanted))
    gamma: Any
    if props["fix_gamma"] is None or (method == "linear" and virtual.dtype.kind in "iu"):
        ordered = _in_place(x, [*virtual.reshape(-1).tolist(), -1], 0)
        result, gamma = _taken(ordered, virtual), None
    else:
        previous, following = _numpy._get_indexes(np.empty(0, x.dtype), virtual, n)
        ordered = _in_place(x, [0, -1, *previous.reshape(-1).tolist(), *following.reshape(-1).tolist()], 0)
        gamma = _numpy._get_gamma(virtual, previous, props)
        gamma = float(gamma) if weak_q else gamma.reshape(virtual.shape + (1,) * (x.ndim - 1))
        if not weak_q:
            gamma = constant(gamma) if gamma.ndim else gamma[()]
        result = _between(_taken(ordered, previous), _taken(ordered, following), gamma)
    if _inexact(ordered):
        last = ordered[-1]
        result = lazy.where(lazy.isnan(last), last.astype(result.dtype), result)
    if virtual.ndim == 0 and x.ndim == 1:
        result = LazyArray._new(result._value(), scalar=True)
    # (What is between two elements NumPy's ufuncs write into `out`.)
    return _given_out(result, out) if out is None or gamma is None else lazy.positive(result, out=out)


def _median(a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False) -> Any:
    """The mean of the middle elements; NaN where there is one."""
    x = as_lazy(a)
    if axis is None:
        x, axis = x.reshape(-1) if overwrite_input else x.ravel(), 0
    n = x.shape[axis]
    if type(n) is not int and x.ndim == 1:
        return _given_out(_median_of_some(x if overwrite_input else x.copy(), n), out)
    middle = [n // 2] if n % 2 else [n // 2 - 1, n // 2]
    if n:
        x = _in_place(x if overwrite_input else x.copy("K"), [*middle, -1], axis, SHORT)
    before = (slice(None),) * (axis % x.ndim)
    result = lazy.mean(x[(*before, slice(max(middle[0], 0), middle[-1] + 1))], axis=axis)
    if n and _inexact(x):
        last = x[(*before, -1)]
        result = lazy.where(lazy.isnan(last), last.astype(result.dtype), result)
    if x.ndim == 1:
        result = LazyArray._new(result._value(), scalar=True)
    return _given_out(result, out)


def _median_of_some(x: LazyArray, n: Any) -> LazyArray:
    """The median of a vector, put in order, of which the program computes how long it is."""
    windows.require_elements(x._shape, (0,))
    x.sort()
    low, high = x[(n - 1) // 2], x[n // 2]
    # (The mean of one element is that element, also where twice of it is too large.)
    result = lazy.where((n % 2) == 1, lazy.mean(x[n // 2 : n // 2 + 1]), lazy.mean(lazy.stack([low, high])))
    if _inexact(x):
        last = x[-1]
        result = lazy.where(lazy.isnan(last), last.astype(result.dtype), result)
    return LazyArray._new(result._value(), scalar=True)


def _sorted_with_counts(a: Any, axis: Any) -> tuple[LazyArray, Any]:
    """The array sorted along its first axis, NaN last, and the numbers of other elements."""
    x = as_lazy(a)
    if x.dtype.kind == "c":
        raise NotCompiled("complex numbers")
    x = x.reshape(-1) if axis is None else lazy.moveaxis(x, axis, 0)
    count = lazy.sum(~lazy.isnan(x), axis=0)
    return lazy.sort(x, axis=0), count


def _at(ordered: LazyArray, position: LazyArray) -> LazyArray:
    """The element of each column at a position of its own."""
    found: LazyArray = along_axis(ordered, position.reshape((1, *position.shape)), 0)[0]
    return found


def _nanmedian(a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False) -> Any:
    x = as_lazy(a)
    if not _inexact(x):
        return _median(x, axis, out, overwrite_input)
    ordered, count = _sorted_with_counts(x, axis)
    half = count // 2
    low = _at(ordered, lazy.maximum(half - 1 + count % 2, 0))
    high = _at(ordered, lazy.minimum(half, ordered.shape[0] - 1))
    both = lazy.mean(lazy.stack([low, high]), axis=0)
    result = lazy.where(count % 2 == 1, low, both)
    result = lazy.where(count == 0, x.dtype.type(np.nan), result)
    if ordered.ndim == 1:
        result = LazyArray._new(result._value(), scalar=True)
    return _given_out(result, out)


def _nanquantile(a: Any, q: Any, weights: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False,
                 method: str = "linear", weak_q: bool = False) -> Any:  # fmt: skip
    x = as_lazy(a)
    if weights is not None:
        raise NotCompiled("weights")
    wanted = np.asanyarray(known(q))
    if not _inexact(x):
        flat = x.ravel() if axis is None else x
        return _quantile(flat.copy(), wanted, 0 if axis is None else axis, method, out, None, weak_q)
    ordered, count = _sorted_with_counts(x, axis)
    props = _method(method)
    parts = [_one_nanquantile(ordered, count, one, props, method, weak_q) for one in wanted.reshape(-1)]
    if wanted.ndim == 0:
        result = parts[0]
    else:
        # As NumPy lays it out: the quantiles of one slice side by side.
        rest = ordered.ndim - 1
        result = lazy.stack(parts, -1).reshape(ordered.shape[1:] + wanted.shape)
        result = lazy.moveaxis(result, range(rest, rest + wanted.ndim), range(wanted.ndim))
    if wanted.ndim == 0 and ordered.ndim == 1:
        result = LazyArray._new(result._value(), scalar=True)
    if out is not None:
        out[...] = result
        return out
    return result


def _one_nanquantile(ordered: LazyArray, count: Any, q: Any, props: Any, method: str, weak_q: bool) -> Any:
    """One quantile of each column of sorted elements, of which the first `count` are numbers."""
    n = count.astype(q.dtype) if q.dtype.kind == "f" else count
    virtual: Any = as_lazy(rebound(props["get_virtual_index"])(n, q))
    last = count - 1
    if props["fix_gamma"] is None or (method == "linear" and virtual.dtype.kind in "iu"):
        position = virtual.astype(np.int64)
        result = _at(ordered, lazy.clip(position, 0, lazy.maximum(last, 0)))
    else:
        floor = lazy.floor(virtual)
        above, below = virtual >= last, virtual < 0
        bound = lazy.maximum(last, 0)
        places = []
        for shifted in (floor, floor + 1):
            place = lazy.where(above, bound, shifted.astype(np.int64))
            places.append(lazy.where(below, 0, place))
        # Where NumPy takes the last or the first element twice, the weight does not count.
        gamma = as_lazy(rebound(props["fix_gamma"])(virtual - floor, virtual)).astype(virtual.dtype)
        if weak_q:
            gamma = gamma.astype(ordered.dtype)
        result = _between(_at(ordered, places[0]), _at(ordered, places[1]), gamma)
    return lazy.where(count == 0, result.dtype.type(np.nan), result)


SUBSTITUTES.update({
    id(_numpy._quantile): _quantile,
    id(_numpy._median): _median,
    id(_nan_numpy._nanmedian): _nanmedian,
    id(_nan_numpy._nanquantile_ureduce_func): _nanquantile,
})  # fmt: skip
through_names(np, "median percentile quantile nanmedian nanpercentile nanquantile")
