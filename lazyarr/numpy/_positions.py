"""Functions that split an array, or drop, add or repeat some of its elements at positions known beforehand.

Where an element of the result comes from is asked of NumPy: its own function, called on the positions themselves.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from lazyarr import memory_order, views
from lazyarr import strides as geometry
from lazyarr.array import LazyArray
from lazyarr.convert import as_lazy, from_numpy
from lazyarr.dispatch import NotCompiled, function_call, holds_lazy, implements
from lazyarr.ir.op import OPS
from lazyarr.numpy._reduce import one_axis
from lazyarr.numpy._shape import as_shape, concatenate, ravel, reshape
from lazyarr.runtime import record
from lazyarr.weak import WeakScalar


def known(x: Any) -> Any:
    """An argument that decides positions or shapes, with the data of lazy arrays in it looked at."""
    if isinstance(x, LazyArray):
        data = x._elements("positions that decide a shape", only_looks=True)
        return data[()] if x._scalar else data
    if isinstance(x, WeakScalar):
        return x.python_type(x)
    if isinstance(x, slice):
        return slice(known(x.start), known(x.stop), known(x.step))
    if isinstance(x, (list, tuple)) and holds_lazy(x):
        return [known(item) for item in x]
    return x


def constant(data: Any) -> LazyArray:
    """A lazy array of NumPy data that was computed here."""
    return from_numpy(np.asarray(data), copy=False)


def taken(x: LazyArray, positions: Any, axis: int) -> LazyArray:
    """The elements at known positions along an axis, in C's order; the positions are not checked again."""
    value = record(OPS["gather"], x._value(), constant(np.asarray(positions, np.int64))._value(), axes=(axis,))
    order = (*range(1, axis + 1), 0, *range(axis + 1, x.ndim))
    return LazyArray._new(views.transpose(value, order))


@implements(np.array_split)
def array_split(ary: Any, indices_or_sections: Any, axis: Any = 0) -> list[LazyArray]:
    """As `numpy.array_split`: views."""
    x = as_lazy(ary)
    at = one_axis(axis, x.ndim)
    n = x.shape[at]
    sections = known(indices_or_sections)
    if np.ndim(sections):
        points = [0, *(int(k) for k in sections), n]
    else:
        count = int(sections)
        if count <= 0:
            raise ValueError("number sections must be larger than 0.")
        each, extra = divmod(n, count)
        points = [*itertools.accumulate([each + 1] * extra + [each] * (count - extra), initial=0)]
    before = (slice(None),) * at
    return [x[(*before, slice(a, b))] for a, b in zip(points[:-1], points[1:], strict=True)]


@implements(np.split)
def split(ary: Any, indices_or_sections: Any, axis: Any = 0) -> list[LazyArray]:
    """As `numpy.split`: views."""
    x = as_lazy(ary)
    sections = known(indices_or_sections)
    if not np.ndim(sections) and x.shape[one_axis(axis, x.ndim)] % sections:
        raise ValueError("array split does not result in an equal division")
    return array_split(x, sections, axis)


def _flat_or_axis(arr: Any, axis: Any) -> tuple[LazyArray, int]:
    x = as_lazy(arr)
    if axis is None:
        x = x if x.ndim == 1 else ravel(x)
        return x, 0
    return x, one_axis(axis, x.ndim)


def _laid_out(value: Any, like: LazyArray) -> LazyArray:
    """A new array in Fortran's order where `like` is laid out in that, in C's otherwise."""
    order = "F" if like.flags.fnc else "C"
    return LazyArray._new(value, geometry.contiguous(value.type.shape, like.dtype.itemsize, order))  # type: ignore[arg-type]


@implements(np.delete)
def delete(arr: Any, obj: Any, axis: Any = None) -> LazyArray:
    """As `numpy.delete`."""
    x, at = _flat_or_axis(arr, axis)
    where = known(obj)
    kept = np.delete(np.arange(x.shape[at]), where)
    value = taken(x, kept, at)._value()
    listed = np.asarray(0 if isinstance(where, slice) else where)
    if listed.ndim == 0 or (listed.size == 1 and listed.dtype.kind in "iu"):
        return _laid_out(value, x)
    # NumPy reads several by a mask: what that addresses is the outermost axis.
    rest, steps = (tuple(s for axis, s in enumerate(given) if axis != at) for given in (x.shape, x.strides))
    first, *others = memory_order.gathered([(kept.shape, kept.strides)], kept.shape, rest, steps, x.itemsize)
    return LazyArray._new(value, (*others[:at], first, *others[at:]))


@implements(np.insert)
def insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> LazyArray:
    """As `numpy.insert`."""
    x, at = _flat_or_axis(arr, axis)
    n = x.shape[at]
    where = known(obj)
    if not isinstance(where, slice):
        where = np.array(where, np.intp) if isinstance(where, (list, tuple)) and not len(where) else np.array(where)
        if where.dtype == bool and where.ndim == 1:
            where = np.flatnonzero(where)
        elif where.ndim == 0:
            # One position: `values` is inserted as it is, however long it is along the axis.
            index = where.item()
            if not -n <= index <= n:
                raise IndexError(f"index {index} is out of bounds for axis {at} with size {n}")
            added = _several(values, x, at)
            return _joined(x, added, index + n * (index < 0), at)
        elif where.size == 1 and where.ndim == 1 and where.dtype.kind in "iu":
            index = where.item()
            if not -n <= index <= n:
                raise IndexError(f"index {obj} is out of bounds for axis {at} with size {n}")
            added = as_lazy(values)
            added = reshape(added, (1,) * (x.ndim - added.ndim) + added.shape)
            return _joined(x, added, index + n * (index < 0), at)
    # Where each element comes from: a position of `arr`, or (-1 - k) for the k-th inserted one.
    count = len(range(*where.indices(n))) if isinstance(where, slice) else where.size
    origin = np.insert(np.arange(n), where, -1 - np.arange(count))
    from lazyarr.numpy._create import empty

    new = empty((*x.shape[:at], n + count, *x.shape[at + 1 :]), x.dtype, "F" if x.flags.fnc else "C")
    before = (slice(None),) * at
    positions = np.flatnonzero(origin < 0)
    new[(*before, constant(positions[np.argsort(-1 - origin[positions])]))] = values
    new[(*before, constant(np.flatnonzero(origin >= 0)))] = x
    return new


def _several(values: Any, x: LazyArray, axis: int) -> LazyArray:
    """`values` for one scalar position: its first axis is the one inserted along."""
    added = as_lazy(values)
    added = reshape(added, (1,) * (x.ndim - added.ndim) + added.shape)
    moved: LazyArray = function_call(np.moveaxis, (added, 0, axis), {})
    return moved


def _joined(x: LazyArray, added: LazyArray, index: int, axis: int) -> LazyArray:
    from lazyarr.numpy._shape import broadcast_to

    count = added.shape[axis]
    shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
    if added.ndim > x.ndim or np.broadcast_shapes(added.shape, shape) != shape:
        raise ValueError(f"could not broadcast input array from shape {added.shape} into shape {shape}")
    before = (slice(None),) * axis
    middle = broadcast_to(added, shape).astype(x.dtype)
    parts = [x[(*before, slice(None, index))], middle, x[(*before, slice(index, None))]]
    return _laid_out(concatenate(parts, axis)._value(), x)


@implements(np.resize)
def resize(a: Any, new_shape: Any) -> LazyArray:
    """As `numpy.resize`: the elements are repeated."""
    x = ravel(as_lazy(a))
    shape = as_shape(new_shape)
    if any(n < 0 for n in shape):
        raise ValueError("all elements of `new_shape` must be non-negative")
    size = int(np.prod(shape, dtype=int))
    if not x.size or not size:
        return LazyArray._new(views.zeros(shape, x.dtype))
    from lazyarr.numpy._shape import tile

    return reshape(tile(x, -(-size // x.size))[:size], shape)


@implements(np.trim_zeros)
def trim_zeros(filt: Any, trim: Any = "fb", axis: Any = None) -> Any:
    """As `numpy.trim_zeros`: a view; the data decides its shape and is looked at."""
    if not isinstance(filt, LazyArray):
        raise NotCompiled("a sequence")
    data = filt._elements("numpy.trim_zeros: the data decides the result's shape", only_looks=True)
    trimmed = np.trim_zeros(data, trim) if axis is None else np.trim_zeros(data, trim, axis)
    start = _offset(trimmed, data)
    return filt[tuple(slice(a, a + n) for a, n in zip(start, trimmed.shape, strict=True))]


def _offset(part: np.ndarray[Any, Any], whole: np.ndarray[Any, Any]) -> tuple[int, ...]:
    """Where a contiguous box of `whole` begins."""
    if not part.size:
        return (0,) * whole.ndim
    distance = part.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
    found = []
    for stride in sorted(range(whole.ndim), key=lambda axis: -whole.strides[axis]):
        # (Along an axis without a stride all elements are one.)
        steps, distance = divmod(distance, whole.strides[stride]) if whole.strides[stride] else (0, distance)
        found.append((stride, steps))
    return tuple(steps for _, steps in sorted(found))


@implements(np.diagflat)
def diagflat(v: Any, k: Any = 0) -> LazyArray:
    """As `numpy.diagflat`."""
    made: LazyArray = function_call(np.diag, (ravel(as_lazy(v)), k), {})
    return made


@implements(np.ediff1d)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> LazyArray:
    """As `numpy.ediff1d`."""
    x = ravel(as_lazy(ary))
    parts = []
    for name, given in (("to_begin", to_begin), ("", None), ("to_end", to_end)):
        if not name:
            parts.append(x[1:] - x[:-1])
        elif given is not None:
            end = as_lazy(given)
            if not np.can_cast(end.dtype, x.dtype, "same_kind"):
                raise TypeError(f"dtype of `{name}` must be compatible with input `ary` under the `same_kind` rule.")
            parts.append(ravel(end).astype(x.dtype))
    return parts[0] if len(parts) == 1 else concatenate(parts)
