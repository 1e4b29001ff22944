"""What is assigned to an array, an element or a part of it: as a value of its shape and dtype, with NumPy's errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from lazyarr import views, windows
from lazyarr.array import LazyArray
from lazyarr.convert import PYTHON_SCALARS, as_lazy, cast, from_numpy, scalar_value, weak_cast
from lazyarr.dispatch import holds_lazy
from lazyarr.ir import extents
from lazyarr.ir.node import Value
from lazyarr.ir.types import DTYPES, NAMES
from lazyarr.ops.create import const
from lazyarr.ops.elementwise import ELEMENTWISE, REAL
from lazyarr.runtime import add_check, record
from lazyarr.weak import WeakScalar

_I64 = DTYPES["i64"]


def assigned_value(
    value: Any, shape: tuple[int, ...], dtype: np.dtype[Any], must_fit: Literal["", "python", "scalar"] = ""
) -> Value:
    """The right-hand side of an assignment as a value of the target's shape and dtype.

    Which numbers have to fit the dtype: Python's (NumPy asks that where arrays or masks are the index), or NumPy's
    scalars too (elements and slices).

    Raises
    ------
    ValueError
        If it does not broadcast to the target, in NumPy's words.
    """
    if isinstance(value, WeakScalar):
        if value.python_type is complex and dtype.kind != "c":
            raise TypeError("float() argument must be a string or a real number, not 'complex'")
        if must_fit and value.python_type is float and dtype.kind in "iu":
            wide = np.dtype(np.float64)
            _check_fits(LazyArray._new(cast(value.weak_value(wide), wide), scalar=True), dtype)
        return views.broadcast(weak_cast(value, dtype), shape)
    if isinstance(value, PYTHON_SCALARS) and not isinstance(value, np.generic):
        return views.broadcast(scalar_value(value, dtype), shape)
    # (At positions NumPy writes arrays of more axes, of one element each; elsewhere it does not make them of lists.)
    source = as_source(value, None if must_fit == "python" else shape, dtype)
    if must_fit == "scalar" and source._scalar and dtype.kind == "i" and not np.can_cast(source.dtype, dtype):
        _check_fits(source, dtype)
    found = cast(source._value(), dtype)
    given = source.shape
    while len(given) > len(shape) and given[0] == 1:
        given = given[1:]
    if given == shape:
        return views.reshape(found, shape)
    if not (extents.is_static(given) and extents.is_static(shape)) and len(given) <= len(shape):
        wanted = shape[len(shape) - len(given) :]
        named = windows.with_extents(found, tuple(n if n == 1 else w for n, w in zip(given, wanted, strict=True)))
        return views.broadcast(named, shape)
    if len(given) > len(shape) or any(a not in (1, b) for a, b in zip(given[::-1], shape[::-1], strict=False)):
        raise ValueError(f"could not broadcast input array from shape {shape_text(source.shape)} into shape "
                         f"{shape_text(shape)}")  # fmt: skip
    return views.broadcast(views.reshape(found, given), shape)


def as_element(value: Any, dtype: np.dtype[Any]) -> Any:
    """What stands for an element where it is an array without axes of a class derived from NumPy's.

    NumPy asks that for a number: `numpy.ma.masked` is NaN with a warning, or an error.
    """
    if not isinstance(value, np.ndarray) or type(value) in (LazyArray, np.ndarray) or value.shape:
        return value
    one = np.zeros(1, dtype)
    one[0] = value
    return one[0]


def for_element(value: Any, target: LazyArray, items: Sequence[Any]) -> Any:
    """What is assigned where a single element, not a part of no axes, is set.

    Of a class derived from NumPy's that is a number, which NumPy asks it for.

    Raises
    ------
    ValueError, TypeError
        If it is set to an array that has axes.
    """
    if target._shape or not isinstance(value, (LazyArray, np.ndarray)) or any(item is ... for item in items):
        return value
    if not value.shape:
        return as_element(value, target.dtype)
    if target.dtype.kind == "b" and all(n == 1 for n in value.shape):
        return value
    if target.dtype.kind == "c":
        raise TypeError("only 0-dimensional arrays can be converted to Python scalars")
    raise ValueError("setting an array element with a sequence.")


def _check_fits(scalar: LazyArray, dtype: np.dtype[Any]) -> None:
    """What NumPy raises where a scalar (not an array) does not fit an integer element.

    A NumPy scalar has to fit a signed one, a Python float any.
    """
    value = scalar._value()
    kind = scalar.dtype
    if kind.kind == "c":
        value, kind = record(REAL, value), np.dtype(f"f{kind.itemsize // 2}")
    if kind.kind == "f":
        is_nan = record(ELEMENTWISE["isnan"], value)
        add_check(record(ELEMENTWISE["logical_not"], is_nan), "ValueError", "cannot convert float NaN to integer")
        value, kind = cast(value, np.dtype(np.float64)), np.dtype(np.float64)
    if kind == np.uint64:
        fits = record(ELEMENTWISE["less_equal"], value, const(np.iinfo(dtype).max, kind))
    else:
        wide = np.dtype(np.float64) if kind.kind == "f" else _I64
        # Truncation towards zero happens first: -128.9 is -128.
        below, above = (np.iinfo(dtype).min, np.iinfo(dtype).max) if wide == _I64 else (
            float(np.iinfo(dtype).min) - (dtype.itemsize < 8), float(np.iinfo(dtype).max) + (dtype.itemsize < 8))
        strict = ("greater_equal", "less_equal") if wide == _I64 else ("greater", "less")
        if dtype.kind == "u":
            below, above = -1.0, float(np.iinfo(dtype).max) + 1
        elif wide != _I64 and dtype.itemsize == 8:
            strict = ("greater_equal", "less")
        low = record(ELEMENTWISE[strict[0]], cast(value, wide), const(below, wide))
        high = record(ELEMENTWISE[strict[1]], cast(value, wide), const(above, wide))
        fits = record(ELEMENTWISE["logical_and"], low, high)
    add_check(fits, "OverflowError", f"Python integer out of bounds for {dtype}")


def as_source(value: Any, shape: tuple[int, ...] | None, dtype: np.dtype[Any]) -> LazyArray:
    """What is assigned as an array; Python objects are converted as NumPy converts them, straight to the dtype."""
    if isinstance(value, LazyArray):
        return value
    if isinstance(value, (np.ndarray, np.generic)):
        return from_numpy(value if value.dtype in NAMES else value.astype(dtype))
    if holds_lazy(value) or hasattr(type(value), "__array__"):
        return as_lazy(value)
    array = np.asarray(value, dtype)
    if shape is not None and array.ndim > len(shape):
        raise ValueError("setting an array element with a sequence." + (
            f" The requested array would exceed the maximum number of dimension of {len(shape)}." if shape else ""))
    return from_numpy(array)


def shape_text(shape: Sequence[int]) -> str:
    """A shape as NumPy's messages write it."""
    return "(" + ",".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"
