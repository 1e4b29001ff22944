"""From what a user passes to what is recorded: lazy arrays, constants, Python scalars."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from lazyarr import soft
from lazyarr import strides as geometry
from lazyarr.array import LazyArray
from lazyarr.dispatch import NotCompiled
from lazyarr.growing import Growing
from lazyarr.ir.node import Value
from lazyarr.ir.types import DTYPES, NAMES, WEAK, ArrayType, native
from lazyarr.leaves import leaf
from lazyarr.ops.create import const
from lazyarr.ops.elementwise import CAST
from lazyarr.runtime import record, recording
from lazyarr.weak import WeakScalar

PYTHON_SCALARS = (bool, int, float, complex)
#: NumPy's classes of numbers that are compiled.
SCALARS = frozenset(dtype.type for dtype in NAMES if dtype.kind in "iufc")
#: What NumPy says of an object whose ``__array__`` gives something else than an array of its own: a lazy one.
NO_ARRAY = "__array__ method not producing an array"


def cast(value: Value, dtype: np.dtype[Any]) -> Value:
    """`value` with another dtype."""
    type = value.node.types[value.index]
    same = type.dtype is dtype or type.dtype == dtype
    return value if same and not type.weak else record(CAST, value, dtype=dtype)


def scalar_value(x: Any, dtype: np.dtype[Any]) -> Value:
    """A Python scalar as a value of `dtype`.

    Raises
    ------
    OverflowError
        If an int does not fit an integer dtype, in NumPy's words.
    """
    kind = type(x)
    if kind is float and dtype.kind == "f" and recording().observer is None:
        # Outside an accelerated call a float is probably computed in Python at each step of a loop: as an operand it
        # does not make a new program, as a constant it would.
        return leaf(np.asarray(x, dtype), ArrayType(dtype))
    if kind is int and dtype.kind != "b":
        return _integer(x, dtype)
    return const(np.asarray(x, dtype) if dtype.kind != "b" else bool(x), dtype)


@lru_cache(maxsize=1024)
def _integer(x: int, dtype: np.dtype[Any]) -> Value:
    return const(np.asarray(x, dtype), dtype)


def wrapped(x: Any, dtype: np.dtype[Any]) -> Any:
    """A Python int out of the range of an integer dtype as NumPy converts it where it makes an array of it first.

    `where`, `select`, `pad` and ``a.real = x`` do; arithmetic and ``a[...] = x`` raise OverflowError instead.
    """
    return int(np.asarray(x).astype(dtype)) if type(x) is int and dtype.kind in "iu" else x


def weak_cast(x: WeakScalar, dtype: np.dtype[Any]) -> Value:
    """A traced Python scalar as a value of `dtype`."""
    return record(CAST, x.weak_value(dtype), dtype=dtype)


def from_numpy(data: Any, copy: bool = True) -> LazyArray:
    """A lazy array of NumPy data.

    Parameters
    ----------
    data : ndarray or NumPy scalar
    copy : bool
        False when it was just made of constants, so that nobody else can change it.

    Raises
    ------
    NotCompiled
        If lazyarr does not compile its dtype.
    """
    if isinstance(data, np.generic):
        if data.dtype not in NAMES:
            raise NotCompiled(f"dtype {data.dtype}")
        if recording().observer is None:
            return LazyArray._new(leaf(np.asarray(data), ArrayType(data.dtype)), scalar=True)
        return LazyArray._new(const(data), scalar=True)
    array = np.asarray(data)
    dtype = native(array.dtype)
    if dtype not in NAMES:
        raise NotCompiled(f"dtype {array.dtype}")
    observer = recording().observer
    if copy and observer is not None:
        observer.foreign(array)
    if copy or array.dtype != dtype:
        array = array.astype(dtype, order="K", copy=True)
    return LazyArray._new(leaf(array, ArrayType(dtype, array.shape), constant=not copy), array.strides)


def scalar_as_lazy(x: Any) -> Any:
    """A NumPy scalar as a lazy one; all else as it is."""
    return from_numpy(x) if type(x) in SCALARS else x


def as_lazy(x: Any, dtype: Any = None) -> LazyArray:
    """`numpy.asarray` for lazy arrays: `x` itself when it is one of that dtype.

    Raises
    ------
    NotCompiled
        If its dtype is not one lazyarr compiles.
    """
    wanted = None if dtype is None else np.dtype(dtype)
    if wanted is not None and wanted not in NAMES:
        raise NotCompiled(f"dtype {wanted}")
    if isinstance(x, LazyArray):
        if wanted is None or wanted == x.dtype:
            return x
        if x._scalar:
            soft.settle_for(x, wanted)
        return LazyArray._new(cast(x._value(), wanted), x._copy_strides("K", wanted.itemsize))
    if isinstance(x, WeakScalar):
        if wanted is None:
            soft.settle(x)
        return LazyArray._new(weak_cast(x, wanted or WEAK.get(x.python_type, DTYPES["bool"])))
    if isinstance(x, (np.ndarray, np.generic)):
        if isinstance(x, np.ndarray) and type(x) not in (np.ndarray, np.memmap):
            raise NotCompiled(f"a {type(x).__name__}")  # its own rules: masks, units, matrix products
        found = from_numpy(x)
        return found if wanted is None else as_lazy(found, wanted)
    if hasattr(type(x), "__lazyarr__"):
        # (What is there in parts: a data set of a file, on several ranks.)
        found = x.__lazyarr__()
        return found if wanted is None else as_lazy(found, wanted)
    if hasattr(type(x), "__array_ufunc__"):
        raise NotCompiled(f"a {type(x).__name__}")
    if isinstance(x, PYTHON_SCALARS):
        data = np.asarray(x, wanted)
        if data.dtype not in NAMES:
            raise NotCompiled(f"dtype {data.dtype}")
        return LazyArray._new(scalar_value(x, data.dtype))
    if isinstance(x, Growing):
        together = stacked(x)
        if together is not None:
            return as_lazy(together, wanted)
    if isinstance(x, (list, tuple)) and _holds_lazy(x):
        return _from_nested(x, wanted)
    if hasattr(type(x), "__array__"):
        # (Called as NumPy calls it: what it gives may be lazy, which NumPy does not take.)
        found = x.__array__()
        if not isinstance(found, (LazyArray, np.ndarray)):
            raise ValueError(f"object {NO_ARRAY}")
        return as_lazy(found, wanted)
    for protocol in ("__array__", "__array_interface__", "__dlpack__", "__buffer__"):
        if hasattr(x, protocol):
            found = from_numpy(np.asarray(x))
            return found if wanted is None else as_lazy(found, wanted)
    try:
        data = np.asarray(x, wanted)
    except ValueError as error:
        if NO_ARRAY in str(error) and isinstance(x, (list, tuple)):
            return _from_nested(x, wanted)
        raise
    if data.dtype not in NAMES:
        raise NotCompiled(f"dtype {data.dtype}")
    observer = recording().observer
    if observer is not None and _holds(x, np.ndarray):
        observer.foreign(data)
    return from_numpy(data, copy=False)


def as_mask(where: Any) -> LazyArray:
    """``where=`` as booleans; Python objects and scalars are taken by their truth, arrays have to be booleans.

    Raises
    ------
    TypeError
        In NumPy's words.
    """
    array = as_lazy(where) if hasattr(where, "dtype") or _holds_lazy([where]) else as_lazy(where, np.bool_)
    if array.dtype != np.bool_ and array._scalar:
        return LazyArray._new(cast(array._value(), np.dtype(np.bool_)), scalar=True)
    if array.dtype != np.bool_:
        raise TypeError(f"Cannot cast array data from {array.dtype!r} to dtype('bool') according to the rule 'safe'")
    return array


def _holds_lazy(x: Any) -> bool:
    """Whether a nested sequence holds a lazy array or a traced scalar anywhere."""
    return _holds(x, (LazyArray, WeakScalar))


def _holds(x: Any, classes: Any) -> bool:
    """Whether an instance of `classes` stands anywhere in nested lists and tuples."""
    return isinstance(x, (list, tuple)) and any(isinstance(item, classes) or _holds(item, classes) for item in x)


def stacked(x: Growing) -> LazyArray | None:
    """`numpy.array` of a list to which a loop has appended, where its rows are all there is to do; None otherwise."""
    from lazyarr.numpy._shape import concatenate, stack

    if x.buffer is not None:
        found: LazyArray | None = x.lists.stacked(x)
        return found
    if len(x.columns) != 1 or x.columns[0].known is not None:
        return None
    [column], first = x.columns, x.elements()
    rows, form = column.rows[0], column.form
    while form[0] == "rows" and len(form[2]) == 1:
        [form] = form[2]
    if form[0] == "rows" or form[0] in (tuple, list) and form is not column.form:
        return None
    if form[0] is tuple or form[0] is list:
        if any(inner[0] not in ("number", "scalar") for inner in form[1]):
            return None
        rows = stack(list(column.rows), axis=1)
    items = [as_lazy(item) for item in first if isinstance(item, (LazyArray, WeakScalar, *PYTHON_SCALARS))]
    if len(items) < len(first) or any(item.shape != rows.shape[1:] for item in items):
        return None
    if not items:
        return LazyArray._new(rows._value())
    joined: LazyArray = concatenate([*(LazyArray._new(item._value())[None] for item in items), rows])
    return joined


def _from_nested(x: Any, dtype: np.dtype[Any] | None) -> LazyArray:
    """An array of a nested sequence that holds lazy arrays."""
    from lazyarr.numpy import result_type, stack

    items = [_from_nested(item, dtype) if isinstance(item, (list, tuple)) else item for item in x]
    if dtype is None:
        # NumPy looks at Python scalars in a list as arrays: they are not weak there.
        dtype = result_type(*map(_strong, items))
    arrays = [as_lazy(item, dtype) for item in items]
    if len({a.shape for a in arrays}) > 1:
        raise ValueError("setting an array element with a sequence. The requested array has an inhomogeneous shape "
                         f"after 1 dimensions. The detected shape was ({len(arrays)},) + inhomogeneous part.")
    # (What is made of a list is in C order, whatever the order of its items.)
    return LazyArray._new(stack(arrays)._value())


def _strong(x: Any) -> Any:
    """A dtype, or what has one, of an item of a list."""
    if isinstance(x, WeakScalar):
        return np.dtype(x.python_type)
    return np.asarray(x) if issubclass(type(x), PYTHON_SCALARS) else as_lazy(x)


def dtype_or_kind(x: Any) -> Any:
    """What NumPy's dtype resolution takes for an operand: a dtype, or a Python scalar type."""
    if isinstance(x, LazyArray):
        return x.dtype
    if isinstance(x, WeakScalar):
        return x.python_type
    return type(x) if type(x) in WEAK else np.asarray(x).dtype


def fresh(value: Value, like: LazyArray | None = None) -> LazyArray:
    """A new array of `value`; laid out as NumPy lays out an element-wise result of `like`."""
    if like is None:
        return LazyArray._new(value)
    type = value.type
    return LazyArray._new(value, geometry.keep_order([(like.shape, like.strides)], type.shape, type.dtype.itemsize))
