"""Functions that choose, order and combine elements."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from lazyarr import selection, views, windows
from lazyarr.array import LazyArray
from lazyarr.assignment import assigned_value
from lazyarr.convert import as_lazy, cast, dtype_or_kind, from_numpy, wrapped
from lazyarr.dispatch import UFUNCS, NotCompiled, holds_lazy, implements
from lazyarr.indexing import columns
from lazyarr.ir import extents
from lazyarr.ir.op import OPS, Op
from lazyarr.ir.types import NAMES, ArrayType
from lazyarr.leaves import leaf
from lazyarr.numpy._reduce import finish, integer_axis, one_axis, reduce_out
from lazyarr.numpy._ufunc import agreed, loop_value, operand
from lazyarr.ops.create import const
from lazyarr.ops.elementwise import ELEMENTWISE, SELECT
from lazyarr.ops.sort import SHORT_WHOLE
from lazyarr.runtime import guard, record, recording

_UNSET = np._NoValue
_I64 = np.dtype(np.int64)


def common_dtype(*operands: Any) -> np.dtype[Any]:
    """Result dtype of operands under NEP 50 (Python scalars are weak)."""
    kinds = [k(1) if isinstance(k, type) else k for k in map(dtype_or_kind, operands)]
    found = np.result_type(*kinds)
    if found not in NAMES:
        raise NotCompiled(f"dtype {found}")
    return found


@implements(np.where, by_types=True, takes_floats=True)
def where(condition: Any, x: Any = _UNSET, y: Any = _UNSET, /) -> Any:
    """As `numpy.where`."""
    if x is _UNSET and y is _UNSET:
        return as_lazy(condition).nonzero()
    if x is _UNSET or y is _UNSET:
        raise ValueError("either both or neither of x and y should be given")
    mask = as_lazy(condition)
    a, b = operand(x), operand(y)
    if any(isinstance(o, LazyArray) and not extents.is_static(o._shape) for o in (mask, a, b)):
        mask, a, b = agreed([mask, a, b], [])
    dtype = common_dtype(a, b)
    a, b = wrapped(a, dtype), wrapped(b, dtype)
    chosen = record(SELECT, cast(mask._value(), np.dtype(bool)), loop_value(a, dtype), loop_value(b, dtype))
    from lazyarr import strides as geometry

    arrays = [(o.shape, o.strides) for o in (mask, a, b) if isinstance(o, LazyArray)]
    shape = chosen.type.shape
    return LazyArray._new(chosen, geometry.keep_order(arrays, shape, dtype.itemsize) if len(shape) > 1 else None)


@implements(np.clip, by_types=True, takes_floats=True)
def clip(a: Any, a_min: Any = _UNSET, a_max: Any = _UNSET, out: Any = None, *, min: Any = _UNSET, max: Any = _UNSET,
         **kwargs: Any) -> Any:  # fmt: skip
    """As `numpy.clip`."""
    if a_min is _UNSET and a_max is _UNSET:
        a_min, a_max = (None if min is _UNSET else min), (None if max is _UNSET else max)
    elif a_min is _UNSET or a_max is _UNSET:
        raise TypeError(f"clip() missing 1 required positional argument: '{'a_min' if a_min is _UNSET else 'a_max'}'")
    elif min is not _UNSET or max is not _UNSET:
        raise ValueError("Passing `min` or `max` keyword argument when `a_min` and `a_max` are provided is forbidden.")
    x = as_lazy(a)
    if a_min is None and a_max is None:
        return UFUNCS[np.positive](x, out=out, **kwargs)
    low, high = a_min, a_max
    if x.dtype.kind in "iu":
        # NumPy: a Python int at or beyond the end of the dtype's range limits nothing.
        limits = np.iinfo(x.dtype)
        low = None if type(low) is int and low <= limits.min else low
        high = None if type(high) is int and high >= limits.max else high
    if low is None and high is None:
        return UFUNCS[np.positive](x, out=out, **kwargs)
    if low is None:
        return UFUNCS[np.minimum](x, high, out=out, **kwargs)
    if high is None:
        return UFUNCS[np.maximum](x, low, out=out, **kwargs)
    return UFUNCS[np._core.umath.clip](x, low, high, out=out, **kwargs)  # type: ignore[attr-defined]


@implements(np.take)
def take(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: str = "raise") -> Any:
    """As `numpy.take`."""
    if mode not in ("raise", "wrap", "clip"):
        raise ValueError(f"clipmode must be one of 'clip', 'raise', or 'wrap' (got '{mode}')")
    x = as_lazy(a)
    if axis is None:
        x, axis = x.reshape(-1), 0
    x = x if x.ndim else x.reshape(1)
    at = integer_axis(axis, x.ndim)
    scalar = not hasattr(indices, "__len__") or (isinstance(indices, (LazyArray, np.ndarray)) and not indices.ndim)
    if type(indices) in (float, list) and not holds_lazy(indices):
        index = from_numpy(np.asarray(indices).astype(_I64), copy=False)
    else:
        index = as_lazy(indices)
    if index.size == 0 and not isinstance(indices, (LazyArray, np.ndarray)):
        index = as_lazy(np.zeros(index.shape, np.int64))
    if index.dtype.kind not in "iub":
        raise TypeError(f"Cannot cast array data from {index.dtype!r} to dtype('int64') according to the rule 'safe'")
    n = x.shape[at]
    if n == 0 and index.size:
        raise IndexError("cannot do a non-empty take from an empty axes.")
    value = cast(index._value(), _I64)
    if mode == "wrap" and n:
        value = record(ELEMENTWISE["remainder"], value, const(n, _I64))
    elif mode == "clip" and n:
        value = record(ELEMENTWISE["clip"], value, const(0, _I64), const(n - 1, _I64))
    chosen = LazyArray._new(value)
    if mode == "raise" and index._cell.value is value:
        chosen = index
    result = x[(*(slice(None),) * at, chosen if not scalar else chosen.reshape(1))]
    if scalar:
        result = result.reshape(x.shape[:at] + x.shape[at + 1 :])
    found = result._value()
    target = reduce_out(out)
    if target is not None and target.dtype != x.dtype:
        raise NotCompiled("out= of another dtype")
    return finish(found, target)


@implements(np.take_along_axis)
def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    """As `numpy.take_along_axis`."""
    x, index = as_lazy(arr), as_lazy(indices)
    if axis is None:
        if index.ndim != 1:
            raise ValueError("when axis=None, `indices` must have a single dimension.")
        x, axis = x.reshape(-1), 0
    at = one_axis(axis, x.ndim)
    return x[_along_axis(x, index, at)]


def _along_axis(x: LazyArray, index: LazyArray, axis: int) -> tuple[Any, ...]:
    if index.dtype.kind not in "iu":
        raise IndexError("`indices` must be an integer array")
    if index.ndim != x.ndim:
        raise ValueError("`indices` and `arr` must have the same number of dimensions")
    from lazyarr.numpy._create import arange

    return tuple(
        index if k == axis else arange(n).reshape(tuple(-1 if j == k else 1 for j in range(x.ndim)))
        for k, n in enumerate(x.shape)
    )


@implements(np.put_along_axis)
def put_along_axis(arr: Any, indices: Any, values: Any, axis: Any) -> None:
    """As `numpy.put_along_axis`."""
    if not isinstance(arr, LazyArray):
        raise NotCompiled("the target is not a lazy array")
    index = as_lazy(indices)
    if axis is None:
        arr.flat[index] = values
        return
    arr[_along_axis(arr, index, one_axis(axis, arr.ndim))] = values


@implements(np.putmask)
def putmask(a: Any, /, mask: Any, values: Any) -> None:
    """As `numpy.putmask`: element k of `a` takes element k of `values`, repeated."""
    if not isinstance(a, LazyArray):
        raise NotCompiled("the target is not a lazy array")
    chosen = as_lazy(mask)
    source = as_lazy(values)
    if chosen.shape != a.shape:
        raise ValueError("putmask: mask and data must be the same size")
    # (Numbers, also NumPy's, and lists of them are converted one by one.)
    is_array = isinstance(values, np.ndarray) or (isinstance(values, LazyArray) and not values._scalar)
    if is_array and not np.can_cast(source.dtype, a.dtype, "safe"):
        what = "array data" if source.ndim else "scalar"
        raise TypeError(f"Cannot cast {what} from {source.dtype!r} to {a.dtype!r} according to the rule 'safe'")
    if source.size == 0:
        return
    if source.size == 1:
        spread = assigned_value(source.reshape(()), a.shape, a.dtype)
    else:
        spread = cast(source.reshape(-1)[from_numpy(np.arange(a.size) % source.size, copy=False)]._value(), a.dtype)
        spread = views.reshape(spread, a.shape)
    a._assign(record(SELECT, cast(chosen._value(), np.dtype(bool)), spread, a._value()))


def _stable(kind: Any, stable: Any) -> bool:
    if kind is not None and stable is not None:
        raise ValueError("`kind` and keyword parameters can't be provided at the same time.")
    # (NumPy takes any word that begins as one of its own.)
    if kind is not None and not (isinstance(kind, str) and kind[:1].lower() in ("q", "h", "m", "s")):
        raise ValueError(f"sort kind must be one of 'quick', 'heap', or 'stable' (got {kind!r})")
    # An unstable argsort may order equal elements in any way; NumPy's own way differs by CPU. One stable way serves.
    return bool(stable) or (kind is not None and kind[0] in "msMS")


@implements(np.sort)
def sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> LazyArray:
    """As `numpy.sort`."""
    x = as_lazy(a)
    if order is not None:
        raise ValueError("Cannot specify order when the array has no fields.")
    if axis is None:
        x, axis = x.reshape(-1), 0
    at = one_axis(axis, x.ndim)
    steady = _stable(kind, stable)
    extent = x.shape[at]
    if type(extent) is int and extent <= SHORT_WHOLE:
        value = record(OPS["sort_short"], x._value(), axis=at)
    else:
        value = record(OPS["sort"], x._value(), axis=at, stable=steady)
    return LazyArray._new(value, x._copy_strides("K", x.dtype.itemsize))


def sort_in_place(x: LazyArray, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> None:
    """As `numpy.ndarray.sort`."""
    if x._scalar:
        np.empty(()).sort()  # NumPy's error: there is no axis.
    if not x._writeable:
        raise ValueError("sort array is read-only")
    x._assign(sort(x, axis if axis is not None else -1, kind, order, stable=stable)._value())


@implements(np.argsort)
def argsort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> LazyArray:
    """As `numpy.argsort`."""
    x = as_lazy(a)
    if order is not None:
        raise ValueError("Cannot specify order when the array has no fields.")
    if axis is None:
        x, axis = x.reshape(-1), 0
    if x.ndim == 0:
        x = x.reshape(1)
    at = integer_axis(axis, x.ndim)
    return LazyArray._new(record(OPS["argsort"], x._value(), axis=at, stable=_stable(kind, stable)))


def _kth(kth: Any, n: int, empty: bool) -> tuple[int, ...]:
    if isinstance(kth, LazyArray):
        kth = kth._elements("the places of a partition", only_looks=True)
    given = list(kth) if isinstance(kth, (tuple, list, range)) or np.ndim(kth) else [kth]
    if any(isinstance(k, (bool, np.bool_)) for k in given):
        raise ValueError("Booleans unacceptable as partition index")
    if not all(hasattr(k, "__index__") for k in given):
        raise TypeError("Partition index must be integer")
    found = tuple(k.__index__() for k in given)
    if empty:
        return ()  # NumPy does not look at what is asked for where there is nothing
    for k in found:
        if not -n <= k < n:
            raise ValueError(f"kth(={k}) out of bounds ({n})")
    return tuple(k % n for k in found)


def _partitioned(name: str) -> Any:
    def function(a: Any, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None) -> LazyArray:
        if not isinstance(kind, str):
            raise TypeError(f"select kind must be str, not {type(kind).__name__}")
        if kind != "introselect":
            raise ValueError(f"select kind must be 'introselect' (got {kind!r})")
        x = as_lazy(a)
        if axis is None:
            x, axis = x.reshape(-1), 0
        at = (one_axis if name == "partition" else integer_axis)(axis, x.ndim)
        places = _kth(kth, x.shape[at], 0 in x.shape)
        value = record(OPS[name], x._value(), kth=places, axis=at)
        return LazyArray._new(value, x._copy_strides("K", x.dtype.itemsize) if name == "partition" else None)

    return function


implements(np.partition)(_partitioned("partition"))
implements(np.argpartition)(_partitioned("argpartition"))


def partition_in_place(x: LazyArray, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None) -> None:
    """As `numpy.ndarray.partition`."""
    x._assign(_partitioned("partition")(x, kth, axis, kind)._value())


@implements(np.searchsorted)
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    """As `numpy.searchsorted`."""
    x = as_lazy(a)
    if sorter is not None:
        order = as_lazy(sorter)
        if order.dtype.kind not in "iu":
            raise TypeError("sorter must only contain integers")
        if order.shape != x.shape and x.ndim == 1:
            raise (TypeError("could not parse sorter argument") if order.ndim != 1
                   else ValueError("sorter.size must equal a.size"))  # fmt: skip
        x = take(x, sorter)
    if x.ndim != 1:
        raise ValueError("object too deep for desired array" if x.ndim > 1 else "object of too small depth for desired "
                         "array")  # fmt: skip
    if side not in ("left", "right"):
        raise ValueError(f"search side must be one of 'left' or 'right' (got {side!r})")
    sought = operand(v)
    dtype = common_dtype(x, sought if isinstance(sought, LazyArray) else as_lazy(v))
    needle = loop_value(sought, dtype)
    found = record(OPS["searchsorted"], cast(x._value(), dtype), needle, side=side)
    return LazyArray._new(found, scalar=found.type.shape == ())


@implements(np.bincount)
def bincount(x: Any, /, weights: Any = None, minlength: Any = 0) -> LazyArray:
    """As `numpy.bincount`; the largest element decides the length, so the data is looked at.

    A compiled program with `minlength` has results of that length, which is a guard of it.
    """
    index = as_lazy(x)
    if not isinstance(x, (LazyArray, np.ndarray)) and index.dtype.kind not in "iub":
        if index.size or index.ndim != 1:
            raise NotCompiled("a list of other numbers than ints is counted")  # NumPy warns that this will go
        index = as_lazy(index, _I64)
    if index.ndim != 1:
        raise ValueError("object too deep for desired array" if index.ndim > 1 else "object of too small depth for "
                         "desired array")  # fmt: skip
    if index.dtype == np.uint64:
        raise NotCompiled("uint64 is counted")  # (Not by each NumPy.)
    if index.dtype.kind not in "iub":
        raise TypeError(f"Cannot cast array data from {index.dtype!r} to dtype('int64') according to the rule 'safe'")
    length = _bins(index, _least_bins(minlength))
    positions = cast(index._value(), _I64)
    if weights is None:
        return LazyArray._new(record(OPS["bincount"], positions, length=length))
    w = as_lazy(weights)
    if w.shape != index.shape:
        raise ValueError("The weights and list don't have the same length.")
    if not np.can_cast(w.dtype, np.float64, "safe"):
        raise TypeError(f"Cannot cast array data from {w.dtype!r} to dtype('float64') according to the rule 'safe'")
    return LazyArray._new(record(OPS["bincount_weights"], positions, cast(w._value(), np.dtype("f8")), length=length))


def _least_bins(minlength: Any) -> int:
    """`minlength` as NumPy takes it, or NumPy's exception."""
    if minlength is None:
        raise TypeError("use 0 instead of None for minlength")
    if isinstance(minlength, bool):
        raise TypeError("an integer is required")
    least = operator.index(minlength)
    if abs(least) > np.iinfo(np.int64).max:
        raise OverflowError("Python int too large to convert to C long")
    return least


def _bins(index: LazyArray, least: int) -> int:
    """How many bins `bincount` has."""
    if least > (1 if index.dtype.kind == "b" else 0) and getattr(recording().observer, "computes_lengths", False):
        if index.dtype.kind == "i":
            _guard_all(index, ELEMENTWISE["greater_equal"], 0, "what is counted is not negative")
        if index.dtype.kind in "iu" and np.iinfo(index.dtype).max >= least:
            _guard_all(index, ELEMENTWISE["less"], least, "what is counted is less than minlength")
        return least
    data = index._elements("numpy.bincount: the largest element is the result's length", only_looks=True)
    if data.size and data.min() < 0:
        raise ValueError("'list' argument must have no negative elements")
    if least < 0:
        raise ValueError("'minlength' must not be negative")
    return max(least, int(data.max()) + 1 if data.size else 0)


def _guard_all(x: LazyArray, holds: Op, limit: int, what: str) -> None:
    """Guard that a comparison holds for all elements."""
    kind = record(holds, x._value(), const(limit, x.dtype))
    guard(record(OPS["reduce"], kind, kind="logical_and", axes=(0,)), what)


@implements(np.nonzero)
def nonzero(a: Any) -> tuple[LazyArray, ...]:
    """As `numpy.nonzero`; the data decides the result's shape, so it is looked at."""
    x = as_lazy(a)
    if x.ndim == 0:
        raise ValueError("Calling nonzero on 0d arrays is not allowed. Use np.atleast_1d(scalar).nonzero() instead.")
    if getattr(recording().observer, "computes_lengths", False):
        return windows.positions(x if x.dtype == np.bool_ else LazyArray._new(cast(x._value(), np.dtype(bool))))
    parts = selection.positions(cast(x._value(), np.dtype(bool)))
    if parts is not None:
        return tuple(columns(parts))
    found = np.nonzero(x._elements("numpy.nonzero: data decides the result's shape", only_looks=True))
    # NumPy's are the columns of one array.
    return tuple(
        LazyArray._new(leaf(i.copy() if x.ndim > 1 else i, ArrayType(_I64, i.shape)), (8 * x.ndim,)) for i in found
    )
