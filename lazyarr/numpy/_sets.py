"""Sorting by several keys, membership, and the sets of distinct elements.

Whether an element is in a set is compiled. The number of distinct elements depends on data, so those functions look at
which elements differ from their neighbours; sorting and selecting stay recorded work.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.convert import as_lazy
from lazyarr.dispatch import NotCompiled, implements
from lazyarr.numpy._choose import along_axis
from lazyarr.numpy._choose import element as element_at
from lazyarr.numpy._positions import constant
from lazyarr.numpy._reduce import one_axis
from lazyarr.numpy._through import lazy, through_names
from lazyarr.runtime import constant_data

_FEW = 8
_arraysetops: Any = importlib.import_module("numpy.lib._arraysetops_impl")


@implements(np.lexsort)
def lexsort(keys: Any, axis: Any = -1) -> Any:
    """As `numpy.lexsort`: one stable sort a key, the last key last."""
    columns = [as_lazy(key) for key in keys]
    if not columns:
        raise TypeError("need sequence of keys with len > 0 in lexsort")
    shape = columns[0].shape
    if any(key.shape != shape for key in columns):
        raise ValueError("all keys need to be the same shape")
    if not shape:
        raise NotCompiled("keys without axes")
    at = one_axis(axis, len(shape))
    order = lazy.argsort(columns[0], axis=at, kind="stable")
    for key in columns[1:]:
        place = lazy.argsort(along_axis(key, order, at), axis=at, kind="stable")
        order = along_axis(order, place, at)
    return order


@implements(np.isin)
def isin(
    element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False, *, kind: Any = None
) -> Any:
    """As `numpy.isin`: a few elements are compared one by one, many are sorted and searched."""
    x: Any = as_lazy(element)
    wanted = lazy.ravel(as_lazy(test_elements))
    if kind not in (None, "sort", "table"):
        raise ValueError(f"Invalid kind: '{kind}'. Please use None, 'sort' or 'table'.")
    if kind == "table" and not (x.dtype.kind in "iub" and wanted.dtype.kind in "iub"):
        raise ValueError("The 'table' method is only supported for boolean or integer arrays. Please select 'sort' or "
                         "None for kind.")  # fmt: skip
    if np.dtype(np.uint64) in (x.dtype, wanted.dtype) and "i" in (x.dtype.kind, wanted.dtype.kind):
        raise NotCompiled("signed and unsigned 64-bit integers")  # NumPy's answer depends on the method it chooses
    if wanted.size == 0:
        found: Any = lazy.zeros(x.shape, bool)
    elif wanted.size <= _FEW:
        found = x == wanted[0]
        for k in range(1, wanted.size):
            found = found | (x == wanted[k])
    elif (table := _lookup(x, wanted, kind)) is not None:
        low, flags = table
        place = lazy.clip(x, low, low + len(flags) - 1)
        found = element_at(constant(flags), place.astype(np.int64) - low) & (place == x)
    else:
        table = lazy.sort(wanted)
        place = lazy.minimum(lazy.searchsorted(table, x), table.size - 1)
        found = element_at(table, place) == x
    found = ~found if invert else found
    return LazyArray._new(found._value())


def _lookup(x: Any, wanted: LazyArray, kind: Any) -> tuple[int, Any] | None:
    """The smallest of known integers and which of those up to the largest are among them, if that is a short table."""
    if kind == "sort" or x.dtype.kind not in "iu" or wanted.dtype.kind not in "iu" or wanted.dtype == np.uint64:
        return None
    given = constant_data(wanted._value())
    if given is None:
        return None
    low, high = int(given.min()), int(given.max())
    limits = np.iinfo(x.dtype)
    # As long a table as NumPy makes.
    if low < limits.min or high > limits.max or high - low > 6 * (x.size + given.size):
        return None
    flags = np.zeros(high - low + 1, bool)
    flags[given.astype(np.int64) - low] = True
    return low, flags


def _starts(table: Any, equal_nan: bool) -> Any:
    """Which elements of a sorted vector differ from the one before."""
    new = table[1:] != table[:-1]
    if equal_nan and table.dtype.kind in "fc":
        new = new & ~(lazy.isnan(table[1:]) & lazy.isnan(table[:-1]))
    return lazy.concatenate([lazy.ones(min(table.size, 1), bool), new])


@implements(np.unique)
def unique(
    ar: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False, axis: Any = None, *,
    equal_nan: bool = True, sorted: bool = True,
) -> Any:  # fmt: skip
    """As `numpy.unique`; which elements are new is looked at, for their number is the result's length."""
    if axis is not None or not sorted:
        raise NotCompiled("axis=" if axis is not None else "sorted=False")
    given = as_lazy(ar)
    if given.dtype.kind == "c":
        raise NotCompiled("complex numbers")
    x = lazy.ravel(given)
    if not (return_index or return_inverse or return_counts):
        table = lazy.sort(x)
        return table[_starts(table, equal_nan)]
    order = lazy.argsort(x, kind="stable")
    table = element_at(x, order)
    new = _starts(table, equal_nan)
    first = lazy.nonzero(new)[0]
    found = [table[first]]
    if return_index:
        found.append(order[first])
    if return_inverse:
        inverse = lazy.empty(x.size, np.intp)
        inverse[order] = lazy.cumsum(new) - 1
        found.append(inverse.reshape(given.shape))
    if return_counts:
        found.append(lazy.diff(lazy.concatenate([first, [x.size]])))
    return tuple(found)


def _named(function: Any, result: Any, **options: Any) -> None:
    @implements(function)
    def call(x: Any, /) -> Any:
        found = unique(x, equal_nan=False, **options)
        return result(*found) if options else found


if hasattr(np, "unique_all"):
    _named(np.unique_all, _arraysetops.UniqueAllResult, return_index=True, return_inverse=True, return_counts=True)
    _named(np.unique_counts, _arraysetops.UniqueCountsResult, return_counts=True)
    _named(np.unique_inverse, _arraysetops.UniqueInverseResult, return_inverse=True)
    _named(np.unique_values, None)
through_names(np, "intersect1d setdiff1d setxor1d union1d")
