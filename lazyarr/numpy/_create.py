"""Functions that create arrays, and dtype questions about them."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from lazyarr import memory_order, views
from lazyarr import strides as geometry
from lazyarr.array import LazyArray
from lazyarr.assignment import assigned_value
from lazyarr.computed import ComputedScalar, compare
from lazyarr.computed_arithmetic import larger
from lazyarr.convert import PYTHON_SCALARS, as_lazy, cast, dtype_or_kind
from lazyarr.dispatch import NotCompiled, implements
from lazyarr.flat import FlatIterator
from lazyarr.ir.op import OPS
from lazyarr.ir.types import NAMES
from lazyarr.numpy._shape import as_shape
from lazyarr.ops.create import IOTA, const
from lazyarr.ops.elementwise import ELEMENTWISE
from lazyarr.runtime import guard, record
from lazyarr.weak import WeakScalar
from lazyarr.words import order_of

#: Elements of an array of which the program computes the length, at most: memory is that of the longest.
_MOST_COMPUTED = 1 << 20


def _dtype(dtype: Any, default: Any = np.float64) -> np.dtype[Any]:
    found: np.dtype[Any] = np.dtype(default if dtype is None else dtype)
    if found not in NAMES:
        raise NotCompiled(f"dtype {found}")
    return found


def _check_byte_order(x: Any) -> None:
    """Leave what keeps the byte order of other machines to NumPy: files are written in it."""
    if isinstance(x, (np.ndarray, np.generic)) and not x.dtype.isnative:
        raise NotCompiled(f"dtype {x.dtype}")


def _order(order: str) -> Any:
    found = order_of(order)
    if found not in ("C", "F"):
        raise ValueError("only 'C' or 'F' order is permitted")
    return found


def _filled(shape: Any, value: Any, dtype: np.dtype[Any], order: str) -> LazyArray:
    computed = _filled_to_lengths(shape, value, dtype)
    if computed is not None and _order(order) == "C":
        return computed
    wanted = as_shape(shape)
    if any(n < 0 for n in wanted):
        raise ValueError("negative dimensions are not allowed")
    return LazyArray._new(assigned_value(value, wanted, dtype),
                          geometry.contiguous(wanted, dtype.itemsize, _order(order)))  # fmt: skip


def _filled_to_lengths(shape: Any, value: Any, dtype: np.dtype[Any]) -> LazyArray | None:
    """An array of one value of which the program computes lengths; None where it does not, or they may be large."""
    extents = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    if not any(type(n) is ComputedScalar for n in extents):
        return None
    extents = tuple(_as_computed(n, None) for n in extents)
    most = [n.high if type(n) is ComputedScalar else n for n in extents]
    if any(n is None or n < 0 for n in most) or math.prod(most) > _MOST_COMPUTED:
        return None
    for n in extents:
        if type(n) is ComputedScalar and n.low < 0:
            guard(compare("greater_equal", n.value, 0), "a length is not negative")
    longest = LazyArray._new(assigned_value(value, tuple(most), dtype))
    return LazyArray._new(longest[tuple(slice(n) for n in extents)]._value())


@implements(np.zeros)
def zeros(shape: Any, dtype: Any = None, order: str = "C", *, device: Any = None, like: Any = None) -> LazyArray:
    """As `numpy.zeros`."""
    return _filled(shape, 0, _dtype(dtype), order)


@implements(np.empty)
def empty(shape: Any, dtype: Any = None, order: str = "C", *, device: Any = None, like: Any = None) -> LazyArray:
    """As `numpy.empty`; the elements are zero."""
    return _filled(shape, 0, _dtype(dtype), order)


@implements(np.ones)
def ones(shape: Any, dtype: Any = None, order: str = "C", *, device: Any = None, like: Any = None) -> LazyArray:
    """As `numpy.ones`."""
    return _filled(shape, 1, _dtype(dtype), order)


@implements(np.full)
def full(
    shape: Any, fill_value: Any, dtype: Any = None, order: str = "C", *, device: Any = None, like: Any = None
) -> LazyArray:
    """As `numpy.full`."""
    if dtype is None:
        weak = isinstance(fill_value, (WeakScalar, *PYTHON_SCALARS)) and not isinstance(fill_value, np.generic)
        dtype = result_type(fill_value) if weak else as_lazy(fill_value).dtype
    return _filled(shape, fill_value, _dtype(dtype), order)


def _like(a: Any, value: Any, dtype: Any, order: str, shape: Any) -> LazyArray:
    if dtype is None:
        _check_byte_order(a)
    x = as_lazy(a)
    kind = x.dtype if dtype is None else _dtype(dtype)
    order = order_of(order, "K")
    if shape is not None:
        wanted = as_shape(shape)
        made = _filled(wanted, value, kind, "F" if order == "F" or (order == "A" and x.flags.fnc) else "C")
        if order != "K" or len(wanted) != x.ndim:
            return made
        laid = memory_order.like(x.shape, x.strides, x.itemsize, wanted, kind.itemsize)
        return LazyArray._new(made._value(), laid)
    return LazyArray._new(assigned_value(value, x.shape, kind), x._copy_strides(order, kind.itemsize))


@implements(np.zeros_like)
def zeros_like(a: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *,
               device: Any = None) -> LazyArray:  # fmt: skip
    """As `numpy.zeros_like`."""
    return _like(a, 0, dtype, order, shape)


@implements(np.empty_like)
def empty_like(prototype: Any, /, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *,
               device: Any = None) -> LazyArray:  # fmt: skip
    """As `numpy.empty_like`; the elements are zero."""
    return _like(prototype, 0, dtype, order, shape)


@implements(np.ones_like)
def ones_like(a: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *,
              device: Any = None) -> LazyArray:  # fmt: skip
    """As `numpy.ones_like`."""
    return _like(a, 1, dtype, order, shape)


@implements(np.full_like)
def full_like(a: Any, fill_value: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *,
              device: Any = None) -> LazyArray:  # fmt: skip
    """As `numpy.full_like`."""
    return _like(a, fill_value, dtype, order, shape)


@implements(np.array)
def array(
    object: Any, dtype: Any = None, *, copy: bool | None = True, order: str = "K", subok: bool = False,
    ndmin: int = 0, ndmax: int = 0, like: Any = None,
) -> LazyArray:  # fmt: skip
    """As `numpy.array`."""
    order = order_of(order, "K")
    if ndmax:
        raise NotCompiled("arrays of few axes are of objects")
    if type(object) is FlatIterator:
        object, copy = as_lazy(object), None
    if copy and hasattr(type(object), "__array__") and not isinstance(object, (LazyArray, np.ndarray, np.generic)):
        object, copy = _copy_of(object), None
    if dtype is None:
        _check_byte_order(object)
    x = as_lazy(object, dtype)
    # (The elements of a NumPy array are copied whatever is asked for.)
    foreign = isinstance(object, np.ndarray) and object.dtype == x.dtype
    if copy is False and (x._scalar or (x is not object and not foreign)):
        raise ValueError("Unable to avoid copy while creating an array as requested.")
    if x._scalar:
        x = LazyArray._new(x._value())
    elif copy and x is object:
        x = x.copy(order=order)
    x = _laid_out(x, order, copy)
    if x.ndim < ndmin:
        x = x[(None,) * (ndmin - x.ndim)]
    return x


def _copy_of(x: Any) -> Any:
    """What an object gives when it is asked for a copy of its array; who does not know of copies is copied."""
    try:
        return x.__array__(copy=True)
    except TypeError as error:
        if "copy" not in str(error):
            raise
        return x.__array__().copy()


def _laid_out(x: LazyArray, order: str | None, copy: bool | None = None) -> LazyArray:
    right = {"C": x.flags.c_contiguous, "F": x.flags.f_contiguous}.get(order or "K", True)
    if right:
        return x
    if copy is False:
        raise ValueError("Unable to avoid copy while creating an array as requested.")
    return x.copy(order=str(order))


@implements(np.asarray, np.asanyarray)
def asarray(a: Any, dtype: Any = None, order: Any = None, *, device: Any = None, copy: Any = None,
            like: Any = None) -> LazyArray:  # fmt: skip
    """As `numpy.asarray`; the elements of a NumPy array are copied."""
    return array(a, dtype, copy=copy, order=order)


@implements(np.ascontiguousarray)
def ascontiguousarray(a: Any, dtype: Any = None, *, like: Any = None) -> LazyArray:
    """As `numpy.ascontiguousarray`."""
    return array(a, dtype, copy=None, order="C", ndmin=1)


@implements(np.asfortranarray)
def asfortranarray(a: Any, dtype: Any = None, *, like: Any = None) -> LazyArray:
    """As `numpy.asfortranarray`."""
    return array(a, dtype, copy=None, order="F", ndmin=1)


@implements(np.copy)
def copy(a: Any, order: str = "K", subok: bool = False) -> LazyArray:
    """As `numpy.copy`."""
    return array(a, order=order, copy=True)


@implements(np.arange)
def arange(*args: Any, dtype: Any = None, device: Any = None, like: Any = None, **kwargs: Any) -> LazyArray:
    """As `numpy.arange`."""
    computed = _arange_of_length(args, kwargs, args[3] if len(args) > 3 else dtype)
    if computed is not None:
        return computed
    bounds = _arange_bounds(args, kwargs)
    if len(args) > 3:
        dtype = args[3]
    start, stop, step = bounds
    if all(type(b) is int for b in bounds) and (dtype is None or np.dtype(dtype).kind in "iu"):
        kind = _dtype(dtype, np.int64)
        if step == 0:
            raise ZeroDivisionError("division by zero")
        length = max(0, -(-(stop - start) // step))
        value = record(IOTA, length=length, dtype=kind)
        if step != 1:
            value = record(ELEMENTWISE["multiply"], value, const(np.asarray(step).astype(kind), kind))
        if start != 0:
            value = record(ELEMENTWISE["add"], value, const(np.asarray(start).astype(kind), kind))
        return LazyArray._new(value)
    # Floats: NumPy itself decides the length and the rounding of each element.
    concrete: list[Any] = [b if _is_number(b) else _concrete(b) for b in bounds]
    found = np.arange(*concrete, dtype=dtype)
    if found.dtype not in NAMES:
        raise NotCompiled(f"dtype {found.dtype}")
    return as_lazy_constant(found)


def _arange_of_length(args: tuple[Any, ...], kwargs: dict[str, Any], dtype: Any) -> LazyArray | None:
    """``arange`` of integers of which the program computes some; None where it is another one, or may be very long."""
    given = dict(zip(("start", "stop", "step"), args, strict=False)) | kwargs
    if not any(type(b) is ComputedScalar for b in given.values()):
        return None
    if given.get("stop") is None:
        given["start"], given["stop"] = None, given.get("start")
    bounds = [_as_computed(given.get(name), default) for name, default in (("start", 0), ("stop", None), ("step", 1))]
    start, stop, step = bounds
    if any(b is None for b in bounds) or type(step) is not int or not step:
        return None
    if dtype is not None and np.dtype(dtype) not in (np.int64, np.float64):
        return None
    distance = stop - start if step > 0 else start - stop
    length = larger((distance + (abs(step) - 1)) // abs(step), 0)
    most = length if type(length) is int else length.high
    if most > _MOST_COMPUTED:
        return None
    found = LazyArray._new(record(IOTA, length=most, dtype=np.dtype(np.int64)))[:length]
    if step != 1:
        found = found * step
    if type(start) is not int or start:
        found = found + start
    return LazyArray._new(cast(found._value(), _dtype(dtype, np.int64)))


def _as_computed(b: Any, default: int | None) -> Any:
    """A bound as an int, or one that the program computes; None for others."""
    if b is None:
        return default
    if type(b) is ComputedScalar:
        return b if b.kind is int else None
    if isinstance(b, WeakScalar):
        return b.__index__() if b.python_type is int else None  # type: ignore[attr-defined]
    return int(b) if _is_integer(b) else None


def _arange_bounds(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any, Any]:
    given = dict(zip(("start", "stop", "step"), args, strict=False)) | kwargs
    if ("stop" not in given and not args) or (given.get("stop") is None and given.get("start") is None):
        raise TypeError("arange() requires stop to be specified.")
    if "stop" not in given or given["stop"] is None:
        given["stop"], given["start"] = given.pop("start"), 0
    if given.get("step") is None:
        given["step"] = 1
    start = given.get("start")
    bounds = (0 if start is None else start, given["stop"], given["step"])
    whole = [isinstance(b, np.integer) and _is_integer(b) for b in bounds]
    return tuple(int(b) if w else _concrete(b) for b, w in zip(bounds, whole, strict=True))  # type: ignore[return-value]


def _is_number(b: Any) -> bool:
    """Whether a bound is Python's number or NumPy's."""
    return issubclass(type(b), (int, float, np.generic))


def _is_integer(b: Any) -> bool:
    """Whether a bound is an integer of Python's or NumPy's. (To NumPy a length of time is one, too.)"""
    return issubclass(type(b), (int, np.integer)) and not issubclass(type(b), np.timedelta64)


def _concrete(x: Any) -> Any:
    """A number that decides a shape, looked at."""
    if isinstance(x, WeakScalar):
        return x.python_type(x)
    return x._elements("a length", only_looks=True)[()] if isinstance(x, LazyArray) else x


def as_lazy_constant(data: np.ndarray[Any, Any]) -> LazyArray:
    """A lazy array of data that was just computed from constants."""
    from lazyarr.convert import from_numpy

    return from_numpy(data, copy=False)


@implements(np.eye)
def eye(N: Any, M: Any = None, k: Any = 0, dtype: Any = float, order: str = "C", *, device: Any = None,
        like: Any = None) -> LazyArray:  # fmt: skip
    """As `numpy.eye`."""
    rows, columns = as_shape((N, N if M is None else M))
    if rows < 0 or columns < 0:
        raise ValueError("negative dimensions are not allowed")
    i64 = np.dtype(np.int64)
    row = views.reshape(record(IOTA, length=rows, dtype=i64), (rows, 1))
    row = record(ELEMENTWISE["add"], row, const(operator.index(k), i64))
    found = cast(record(ELEMENTWISE["equal"], row, record(IOTA, length=columns, dtype=i64)), _dtype(dtype))
    return LazyArray._new(found, geometry.contiguous((rows, columns), _dtype(dtype).itemsize, _order(order)))


@implements(np.identity)
def identity(n: Any, dtype: Any = None, *, like: Any = None) -> LazyArray:
    """As `numpy.identity`."""
    return eye(n, dtype=float if dtype is None else dtype)


@implements(np.result_type)
def result_type(*arrays_and_dtypes: Any) -> np.dtype[Any]:
    """As `numpy.result_type`; of a lazy array only the dtype matters."""
    def known(x: Any) -> Any:
        if isinstance(x, LazyArray):
            return x.dtype
        if isinstance(x, WeakScalar):
            return x.python_type(1)
        return np.asarray(x).dtype if isinstance(x, np.ndarray) else x

    return np.result_type(*(known(x) for x in arrays_and_dtypes))


@implements(np.shape)
def shape(a: Any) -> tuple[int, ...]:
    """As `numpy.shape`."""
    found: tuple[int, ...] = a.shape if hasattr(a, "shape") else as_lazy(a).shape
    return found


@implements(np.ndim)
def ndim(a: Any) -> int:
    """As `numpy.ndim`."""
    return len(shape(a))


@implements(np.size)
def size(a: Any, axis: Any = None) -> int:
    """As `numpy.size`."""
    return np.size(np.broadcast_to(np.empty(()), shape(a)), axis)


def dtype_of(x: Any) -> np.dtype[Any]:
    """The dtype NumPy gives an argument."""
    kind: np.dtype[Any] = np.dtype(dtype_or_kind(x))
    return kind


@implements(np.iscomplexobj)
def iscomplexobj(x: Any) -> bool:
    """As `numpy.iscomplexobj`."""
    return dtype_of(x).kind == "c"


@implements(np.isrealobj)
def isrealobj(x: Any) -> bool:
    """As `numpy.isrealobj`."""
    return not iscomplexobj(x)


@implements(np.can_cast)
def can_cast(from_: Any, to: Any, casting: str = "safe") -> bool:
    """As `numpy.can_cast`."""
    return np.can_cast(from_.dtype if isinstance(from_, LazyArray) else from_, to, casting)  # type: ignore[arg-type]


def _memory_question(question: Any) -> Any:
    def answer(a: Any, b: Any, max_work: Any = None) -> bool:
        if not (isinstance(a, LazyArray) and isinstance(b, LazyArray)) or a._cell is not b._cell:
            return False
        if not a.size or not b.size:
            return False
        if a._offset != a._offset or b._offset != b._offset:
            return True  # one of them stands where data says
        return bool(question(_addresses(a), _addresses(b), max_work))

    return answer


implements(np.shares_memory)(_memory_question(np.shares_memory))
implements(np.may_share_memory)(_memory_question(np.may_share_memory))


def _addresses(x: LazyArray) -> np.ndarray[Any, Any]:
    """A NumPy array with the memory geometry of `x`, to ask NumPy about overlap; its data is never touched."""
    owner = x.base if x.base is not None else x
    memory = np.broadcast_to(np.zeros((), np.uint8), ())
    holder = type("Geometry", (), {"__array_interface__": {
        "shape": x.shape, "typestr": x.dtype.str, "strides": x.strides, "version": 3,
        "data": (memory.ctypes.data + x._offset + 0 * owner.nbytes, True)}})()  # fmt: skip
    return np.asarray(holder)


@implements(np.meshgrid)
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[LazyArray, ...]:
    """As `numpy.meshgrid`."""
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    rank = len(xi)
    grids = []
    for k, x in enumerate(xi):
        at = {0: 1, 1: 0}.get(k, k) if indexing == "xy" and rank > 1 else k
        grids.append(as_lazy(x).reshape(tuple(-1 if axis == at else 1 for axis in range(rank))))
    if not sparse:
        from lazyarr.numpy._shape import broadcast_arrays

        grids = list(broadcast_arrays(*grids))
    return tuple(g.copy() for g in grids) if copy else tuple(grids)


@implements(np.tri)
def tri(N: Any, M: Any = None, k: Any = 0, dtype: Any = float, *, like: Any = None) -> LazyArray:
    """As `numpy.tri`."""
    if not all(hasattr(n, "__index__") for n in (N, N if M is None else M, k)):
        from lazyarr.convert import from_numpy

        made: LazyArray = from_numpy(np.tri(N, M, k, dtype), copy=False)  # (of floats, as many rows as `arange` has)
        return made
    rows = max(operator.index(N), 0)
    columns = rows if M is None else max(operator.index(M), 0)
    i64 = np.dtype(np.int64)
    row = views.reshape(record(IOTA, length=rows, dtype=i64), (rows, 1))
    row = record(ELEMENTWISE["add"], row, const(operator.index(k), i64))
    below = record(ELEMENTWISE["greater_equal"], row, record(IOTA, length=columns, dtype=i64))
    return LazyArray._new(cast(below, _dtype(dtype)))


__all__ = ["OPS", "array", "asarray", "result_type"]
