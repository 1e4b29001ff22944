"""Functions that pick elements by conditions and indices, and that write to the elements picked."""

from __future__ import annotations

from typing import Any

import numpy as np

from lazyarr import selection, views
from lazyarr import strides as geometry
from lazyarr.array import LazyArray
from lazyarr.assignment import assigned_value
from lazyarr.convert import as_lazy, cast, wrapped
from lazyarr.dispatch import NotCompiled, function_call, implements
from lazyarr.indexing import columns
from lazyarr.ir.op import OPS
from lazyarr.numpy._positions import constant, known, taken
from lazyarr.numpy._reduce import finish, reduce_out
from lazyarr.numpy._select import common_dtype
from lazyarr.numpy._shape import as_shape, copyto, ravel
from lazyarr.numpy._ufunc import Ufunc
from lazyarr.ops.create import IOTA, const
from lazyarr.ops.elementwise import ELEMENTWISE, SELECT
from lazyarr.runtime import add_check, record
from lazyarr.weak import WeakScalar
from lazyarr.words import order_of

_I64 = np.dtype(np.int64)


def _operand(x: Any) -> Any:
    return x if type(x) in (int, float, complex) or isinstance(x, WeakScalar) else as_lazy(x)


@implements(np.select)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> LazyArray:
    """As `numpy.select`: the first condition that holds decides."""
    if len(condlist) != len(choicelist):
        raise ValueError("list of cases must be same length as list of conditions")
    if len(condlist) == 0:
        raise ValueError("select with an empty condition list is not possible")
    choices = [_operand(choice) for choice in (*choicelist, default)]
    dtype = common_dtype(*choices)
    for choice in choices[:-1]:
        number = choice.python_type(1) if isinstance(choice, WeakScalar) else choice
        if type(number) in (bool, int, float, complex):
            np.copyto(np.empty((), dtype), np.asarray(number))  # raises: NumPy has made arrays of these
    choices = [wrapped(choice, dtype) for choice in choices]
    conditions = [as_lazy(condition) for condition in condlist]
    for position, condition in enumerate(conditions):
        if condition.dtype != np.bool_:
            raise TypeError(f"invalid entry {position} in condlist: should be boolean ndarray")
    shape = np.broadcast_shapes(*(x.shape for x in (*conditions, *choices) if isinstance(x, LazyArray)))
    value = assigned_value(choices[-1], shape, dtype)
    for condition, choice in zip(conditions[::-1], choices[-2::-1], strict=True):
        value = record(SELECT, assigned_value(condition, shape, np.dtype(bool)), assigned_value(choice, shape, dtype),
                       value)  # fmt: skip
    return LazyArray._new(value)


@implements(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> LazyArray:
    """As `numpy.piecewise`.

    A function is called, as in NumPy, on the elements its condition selects, so their number is looked at. Nothing is
    looked at for numbers and ufuncs.
    """
    array = as_lazy(x)
    if isinstance(condlist, (list, tuple)) and not condlist:
        raise NotCompiled("no conditions")
    single = np.isscalar(condlist) or isinstance(condlist, LazyArray) and condlist._scalar
    if single or (not isinstance(condlist[0], (list, np.ndarray, LazyArray)) and array.ndim != 0):
        condlist = [condlist]
    elif isinstance(condlist[0], LazyArray) and condlist[0]._scalar and array.ndim != 0:
        condlist = [condlist]
    conditions = [as_lazy(c).astype(bool) for c in condlist]
    n = len(conditions)
    if n == len(funclist) - 1:
        otherwise = conditions[0]
        for condition in conditions[1:]:
            otherwise = otherwise | condition
        conditions.append(~otherwise)
    elif n != len(funclist):
        raise ValueError(f"with {n} condition(s), either {n} or {n + 1} functions are expected")
    result = LazyArray._new(views.zeros(array.shape, array.dtype), array._copy_strides("K", array.itemsize))
    target = result if array.ndim else result.reshape(1)
    array = array if array.ndim else array.reshape(1)
    for condition, function in zip(conditions, funclist, strict=True):
        condition = condition if condition.ndim else condition.reshape(1)
        if not callable(function):
            target[condition] = function
            continue
        if isinstance(function, (np.ufunc, Ufunc)) and condition.shape == array.shape and not (args or kw):
            copyto(target, function(array), casting="unsafe", where=condition)
            continue
        chosen = array[condition]
        if chosen.size > 0:
            target[condition] = function(chosen, *args, **kw)
    return result


@implements(np.choose)
def choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Any:
    """As `numpy.choose`."""
    if mode not in ("raise", "wrap", "clip"):
        raise ValueError(f"clipmode must be one of 'clip', 'raise', or 'wrap' (got '{mode}')")
    index = as_lazy(a)
    if not np.can_cast(index.dtype, _I64, "safe"):
        raise TypeError(f"Cannot cast array data from {index.dtype!r} to dtype('int64') according to the rule 'safe'")
    tables = [_operand(c) for c in (choices if not isinstance(choices, LazyArray) else list(choices))]
    n = len(tables)
    if n == 0:
        raise ValueError("choose requires at least one choice")
    dtype = common_dtype(*tables)
    tables = [wrapped(t, dtype) for t in tables]
    shape = np.broadcast_shapes(index.shape, *(t.shape for t in tables if isinstance(t, LazyArray)))
    position = in_range(cast(index._value(), _I64), n, mode, "invalid entry in choice array", "ValueError")
    position = views.broadcast(position, shape)
    value = assigned_value(tables[-1], shape, dtype)
    for k in range(n - 2, -1, -1):
        hit = record(ELEMENTWISE["equal"], position, const(k, _I64))
        value = record(SELECT, hit, assigned_value(tables[k], shape, dtype), value)
    return finish(value, reduce_out(out))


def in_range(index: Any, n: int, mode: str, message: str, exception: str = "IndexError") -> Any:
    """An int64 index made to lie in ``range(n)`` as ``mode=`` says, or checked to."""
    if mode == "wrap":
        return record(ELEMENTWISE["remainder"], index, const(n, _I64))
    if mode == "clip":
        return record(ELEMENTWISE["clip"], index, const(0, _I64), const(n - 1, _I64))
    low = record(ELEMENTWISE["greater_equal"], index, const(0, _I64))
    fits = record(ELEMENTWISE["logical_and"], low, record(ELEMENTWISE["less"], index, const(n, _I64)))
    add_check(every(fits), exception, message)
    return index


def every(condition: Any) -> Any:
    """Whether a boolean value holds everywhere."""
    axes = tuple(range(condition.type.ndim))
    return record(OPS["reduce"], condition, kind="logical_and", axes=axes) if axes else condition


def element(table: LazyArray, index: Any) -> LazyArray:
    """``table[index]`` along the first axis, for an int64 index in range by construction: nothing is checked."""
    return LazyArray._new(record(OPS["gather"], table._value(), index._value(), axes=(0,)))


def along_axis(x: LazyArray, index: Any, axis: int) -> LazyArray:
    """`numpy.take_along_axis` for an int64 index that is in range by construction."""
    block = tuple(n if k == axis else m for k, (m, n) in enumerate(zip(x.shape, index.shape, strict=True)))
    indices = []
    for k, n in enumerate(x.shape):
        if k == axis:
            indices.append(views.broadcast(index._value(), block))
        else:
            ones = tuple(n if j == k else 1 for j in range(x.ndim))
            indices.append(views.broadcast(views.reshape(record(IOTA, length=n, dtype=_I64), ones), block))
    return LazyArray._new(record(OPS["gather"], x._value(), *indices, axes=tuple(range(x.ndim))))


@implements(np.compress)
def compress(condition: Any, a: Any, axis: Any = None, out: Any = None) -> Any:
    """As `numpy.compress`; the condition decides the result's shape and is looked at."""
    if np.ndim(condition) != 1:
        raise ValueError("condition must be a 1-d array")
    return as_lazy(a).take(_where_true(condition), axis=axis, out=out)


def _where_true(condition: Any) -> LazyArray:
    """`numpy.flatnonzero` of a condition that is looked at."""
    if isinstance(condition, LazyArray) and condition.ndim:
        flags = cast(views.reshape(condition._value(), (condition.size,)), np.dtype(bool))
        parts = selection.positions(flags)
        if parts is not None:
            return columns(parts)[0]
    return constant(np.flatnonzero(np.asarray(known(condition))))


@implements(np.extract)
def extract(condition: Any, arr: Any) -> LazyArray:
    """As `numpy.extract`; the condition decides the result's shape and is looked at."""
    return ravel(as_lazy(arr)).take(_where_true(as_lazy(condition)))  # type: ignore[no-any-return]


@implements(np.place)
def place(arr: Any, mask: Any, vals: Any) -> None:
    """As `numpy.place`: the k-th True element of the mask takes the k-th value, repeated."""
    if not isinstance(arr, LazyArray):
        if isinstance(arr, np.ndarray):
            raise NotCompiled("the target is a NumPy array")
        raise TypeError(f"argument 1 must be numpy.ndarray, not {type(arr).__name__}")
    chosen = as_lazy(mask)
    if chosen.size != arr.size:
        raise ValueError("place: mask and data must be the same size")
    flags = views.reshape(cast(chosen._value(), np.dtype(bool)), arr.shape)
    values = ravel(as_lazy(vals))
    if not np.can_cast(values.dtype, arr.dtype, "unsafe"):
        raise NotCompiled("dtype of the values")
    if not values.size:
        if bool(LazyArray._new(flags).any()):
            raise ValueError("Cannot insert from an empty array!")
        return
    table = cast(values._value(), arr.dtype)
    counted = record(OPS["accumulate"], cast(views.reshape(flags, (arr.size,)), _I64), kind="add", axis=0)
    number = record(ELEMENTWISE["subtract"], counted, const(1, _I64))
    number = record(ELEMENTWISE["remainder"], number, const(values.size, _I64))
    spread = record(OPS["gather"], table, number, axes=(0,))
    arr._assign(record(SELECT, flags, views.reshape(spread, arr.shape), arr._value()))


@implements(np.put)
def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    """As `numpy.put`: writes to the elements in C order."""
    if not isinstance(a, LazyArray):
        if isinstance(a, np.ndarray):
            raise NotCompiled("the target is a NumPy array")
        raise TypeError(f"argument 1 must be numpy.ndarray, not {type(a)}")
    if mode not in ("raise", "wrap", "clip"):
        raise ValueError(f"clipmode must be one of 'clip', 'raise', or 'wrap' (got '{mode}')")
    if not a._writeable:
        raise ValueError("put: output array is read-only")
    index = as_lazy(ind)
    if not index.size:
        return
    if not np.can_cast(index.dtype, _I64, "safe"):
        raise TypeError(f"Cannot cast array data from {index.dtype!r} to dtype('int64') according to the rule 'safe'")
    values = ravel(as_lazy(v))
    if not values.size:
        return
    position = views.reshape(cast(index._value(), _I64), (index.size,))
    if not a.size:
        raise IndexError("cannot replace elements of an empty array")
    if mode != "raise":
        position = in_range(position, a.size, mode, "")
    count = index.size
    if values.size != count:
        values = taken(values, np.arange(count) % values.size, 0)
    flat = LazyArray._new(views.reshape(a._value(), (a.size,)))
    flat[LazyArray._new(position)] = values
    a._assign(views.reshape(flat._value(), a.shape))


@implements(np.flatnonzero)
def flatnonzero(a: Any) -> LazyArray:
    """As `numpy.flatnonzero`; the data decides the result's shape."""
    found: LazyArray = ravel(as_lazy(a)).nonzero()[0]
    return found


@implements(np.argwhere)
def argwhere(a: Any) -> LazyArray:
    """As `numpy.argwhere`; the data decides the result's shape."""
    from lazyarr.array import rebuild

    x = as_lazy(a)
    parts = selection.positions(cast(x._value(), np.dtype(bool))) if x.ndim else None
    if parts is not None:
        return LazyArray._new(parts, (8, 8 * parts.type.shape[0]))
    data = as_lazy(a)._elements("numpy.argwhere: the data decides the result's shape", only_looks=True)
    return rebuild(np.argwhere(data).copy("K"))


@implements(np.ravel_multi_index)
def ravel_multi_index(multi_index: Any, dims: Any, mode: Any = "raise", order: str = "C") -> Any:
    """As `numpy.ravel_multi_index`."""
    shape = as_shape(dims)
    indices = [as_lazy(i) for i in multi_index]
    if len(indices) != len(shape):
        raise ValueError(f"parameter multi_index must be a sequence of length {len(shape)}")
    if any(i.dtype.kind not in "iub" for i in indices):
        raise TypeError("only int indices permitted")
    modes = [mode] * len(shape) if isinstance(mode, str) else list(mode)
    steps = _index_strides(shape, order)
    block = np.broadcast_shapes(*(i.shape for i in indices))
    total = const(0, _I64)
    for index, n, step, how in zip(indices, shape, steps, modes, strict=True):
        value = in_range(cast(index._value(), _I64), n, how, "invalid entry in coordinates array", "ValueError")
        total = record(ELEMENTWISE["add"], total, record(ELEMENTWISE["multiply"], value, const(step, _I64)))
    strides = geometry.keep_order([(i.shape, i.strides) for i in indices], block, 8)
    return LazyArray._new(views.broadcast(total, block), strides, scalar=block == ())


def _index_strides(shape: tuple[int, ...], order: str) -> list[int]:
    order = order_of(order)
    if order not in ("C", "F"):
        raise ValueError("only 'C' or 'F' order is permitted")
    sizes = shape[::-1] if order == "C" else shape
    found = [1]
    for n in sizes[:-1]:
        found.append(found[-1] * n)
    return found[: len(shape)][::-1] if order == "C" else found[: len(shape)]


@implements(np.unravel_index)
def unravel_index(indices: Any, shape: Any, order: str = "C") -> tuple[Any, ...]:
    """As `numpy.unravel_index`."""
    wanted = as_shape(shape)
    index = as_lazy(indices)
    if index.dtype.kind not in "iub":
        raise TypeError("only int indices permitted")
    size = int(np.prod(wanted, dtype=int))
    if not wanted:
        raise NotCompiled("an array without axes")
    what = f"index is out of bounds for array with size {size}"
    value = in_range(cast(index._value(), _I64), size, "raise", what, "ValueError")
    found = []
    for n, stride in zip(wanted, _index_strides(wanted, order), strict=True):
        if n * stride == 0:
            raise NotCompiled("an empty shape")
        part = record(ELEMENTWISE["floor_divide"], value, const(stride, _I64))
        part = record(ELEMENTWISE["remainder"], part, const(n, _I64))
        found.append(LazyArray._new(part, scalar=part.type.shape == () and not isinstance(indices, np.ndarray)))
    if len(found) > 1 and index.ndim:
        # NumPy computes them as the columns of one array.
        kept = geometry.keep_order([(index.shape, index.strides)], index.shape, 8)
        return tuple(LazyArray._new(x._value(), tuple(s * len(wanted) for s in kept)) for x in found)
    return tuple(found)


@implements(np.diag_indices_from)
def diag_indices_from(arr: Any) -> tuple[LazyArray, ...]:
    """As `numpy.diag_indices_from`."""
    x = as_lazy(arr)
    if x.ndim < 2:
        raise ValueError("input array must be at least 2-d")
    if len(set(x.shape)) > 1:
        raise ValueError("All dimensions of input must be of equal length")
    found: tuple[LazyArray, ...] = function_call(np.diag_indices, (x.shape[0], x.ndim), {})
    return found


def _triangle(function: Any) -> Any:
    def indices_from(arr: Any, k: Any = 0) -> Any:
        x = as_lazy(arr)
        if x.ndim != 2:
            raise ValueError("input array must be 2-d")
        return function_call(function, (x.shape[-2],), {"k": k, "m": x.shape[-1]})

    return indices_from


implements(np.tril_indices_from)(_triangle(np.tril_indices))
implements(np.triu_indices_from)(_triangle(np.triu_indices))
