"""Methods of ufuncs that go element by element: reductions no parallel form exists for, and ``reduceat``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from lazyarr import strides as geometry
from lazyarr import views
from lazyarr.array import LazyArray
from lazyarr.convert import as_lazy, cast, scalar_value
from lazyarr.dispatch import NotCompiled
from lazyarr.ir.node import Value
from lazyarr.ir.op import OPS
from lazyarr.leaves import Leaf
from lazyarr.ops.reduce import KINDS
from lazyarr.runtime import record

#: Steps up to which such a reduction is written out in the graph; a longer one runs in NumPy.
_LIMIT = 64


def _element(value: Value, axis: int, position: int) -> Value:
    """The slice of extent 1 at `position`."""
    shape = value.type.shape
    start = tuple(position if a == axis else 0 for a in range(len(shape)))
    stop = tuple(position + 1 if a == axis else n for a, n in enumerate(shape))
    return record(OPS["slice"], value, start=start, stop=stop, step=(1,) * len(shape))


def partial_results(ufunc: Any, value: Value, axis: int, loop: np.dtype[Any], start: Value | None) -> Iterator[Value]:
    """``start``, then each further result of folding `value` along `axis` from the left, with that axis of extent 1.

    Raises
    ------
    NotCompiled
        If the fold is long, or changes the dtype.
    """
    extent = value.type.shape[axis]
    if extent > _LIMIT or value.type.dtype != loop:
        raise NotCompiled(f"an element by element {ufunc.__name__} over {extent} elements")
    first = 0
    if start is None:
        start, first = _element(value, axis, 0), 1
        yield start
    for position in range(first, extent):
        item = _element(value, axis, position)
        ufunc.check_domain([start, item], [start, item])
        start = cast(record(ufunc.op, start, item), loop)
        yield start


def fold(ufunc: Any, value: Value, axis: int, loop: np.dtype[Any]) -> Value:
    """``ufunc.reduce`` along one axis, which vanishes; an axis without elements gives the identity."""
    shape = value.type.shape
    rest = (*shape[:axis], *shape[axis + 1 :])
    identity = ufunc.numpy.identity
    start = None
    if identity is not None:
        start = views.broadcast(scalar_value(identity, loop), tuple(1 if a == axis else n for a, n in enumerate(shape)))
    found = start
    for found in partial_results(ufunc, value, axis, loop, start):  # noqa: B007  the last one is wanted
        pass
    assert found is not None
    return views.reshape(found, rest)


def accumulate(ufunc: Any, value: Value, axis: int, loop: np.dtype[Any]) -> Value:
    """``ufunc.accumulate`` along an axis."""
    if value.type.shape[axis] == 0:
        return cast(value, loop)
    return _joined(list(partial_results(ufunc, value, axis, loop, None)), axis)


def _joined(parts: list[Value], axis: int) -> Value:
    return parts[0] if len(parts) == 1 else record(OPS["concatenate"], *parts, axis=axis)


def reduceat(ufunc: Any, array: Any, indices: Any, axis: Any = 0, dtype: Any = None, out: Any = None) -> Any:
    """As `numpy.ufunc.reduceat`, for few slices whose bounds are known."""
    from lazyarr.numpy import _reduce

    if ufunc.__name__ not in KINDS:
        raise NotCompiled("an element by element reduction of slices")
    x, where = as_lazy(array), as_lazy(indices)
    if not isinstance(where._cell.value.node, Leaf) or where.ndim != 1 or where.dtype.kind not in "iu":
        raise NotCompiled("reduceat with indices that are computed")
    axes = _reduce.normalized_axes(axis, x.ndim)
    bounds = where._elements("bounds of reduceat", only_looks=True).tolist()
    extent = x.shape[axes[0]] if len(axes) == 1 else 0
    if not 0 < len(bounds) <= _LIMIT or any(not 0 <= b < extent for b in bounds):
        raise NotCompiled("reduceat with these indices")
    at = axes[0]
    parts = []
    for low, high in zip(bounds, [*bounds[1:], extent], strict=True):
        chosen: list[Any] = [slice(None)] * x.ndim
        chosen[at] = slice(low, max(high, low + 1))
        part = _reduce.ufunc_reduce(ufunc, x[tuple(chosen)], at, dtype, None, True)
        parts.append(part._value())
    target = _reduce.reduce_out(out)
    value = _joined(parts, at)
    return _reduce.finish(value, target, None if target is not None else _like(x, value))


def _like(x: LazyArray, value: Value) -> tuple[int, ...] | None:
    if value.type.ndim < 2:
        return None
    return geometry.keep_order([(value.type.shape, x.strides)], value.type.shape, value.type.dtype.itemsize)
