"""Parameters of distributions: what programs take, and what NumPy has to refuse."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.computed import ComputedScalar, scalar_of_array
from lazyarr.ir.node import Value
from lazyarr.ir.op import OPS
from lazyarr.ir.types import DTYPES
from lazyarr.ops.create import const
from lazyarr.runtime import guard, record
from lazyarr.tracing.scalars import TracedScalar
from lazyarr.weak import WeakScalar

#: ``draw(distribution, shape, *limits)``: numbers of one of `lazyarr.ops.draws`.
Draw = Callable[..., LazyArray]


class Unsupported(Exception):
    """NumPy, or Python, has to draw."""


def shape_of(size: Any) -> tuple[int, ...] | None:
    """The shape that a size means; None for one number."""
    if size is None:
        return None
    try:
        found = tuple(map(operator.index, size)) if isinstance(size, (tuple, list)) else (operator.index(size),)
    except TypeError:
        raise Unsupported from None
    # (An array without axes is drawn by NumPy.)
    if not found or any(n < 0 for n in found):
        raise Unsupported
    return found


def number(x: Any) -> Any:
    """A parameter as Python's float, also one that the program computes; an array as one of floats."""
    if type(x) in (TracedScalar, ComputedScalar):
        if x.python_type not in (int, float, bool):
            raise Unsupported
        return x + 0.0
    if isinstance(x, LazyArray):
        if x.dtype.kind not in "fiub" or x.dtype == np.longdouble:
            raise Unsupported
        return scalar_of_array(x, float) if x._scalar else x.astype(np.float64) if x.ndim else unsupported()
    if isinstance(x, (bool, int, float, np.integer, np.floating)):
        return float(x)
    raise Unsupported


def unsupported() -> Any:
    """Have NumPy draw."""
    raise Unsupported


def integer(x: Any) -> Any:
    """A limit as Python's int, also one that the program computes."""
    if isinstance(x, LazyArray):
        if not x._scalar or x.dtype.kind not in "iu":
            raise Unsupported
        return scalar_of_array(x, int)
    if isinstance(x, WeakScalar):
        return x if x.python_type is int and x.beyond(DTYPES["i64"]) is None else unsupported()
    if isinstance(x, (bool, np.bool_)) or not isinstance(x, (int, np.integer)) or not -(2**63) <= int(x) < 2**63:
        raise Unsupported
    return int(x)


def require(holds: Any, what: str) -> None:
    """Have NumPy draw, and raise its error, where a condition on parameters does not hold."""
    if isinstance(holds, ComputedScalar):
        guard(holds.value, what)
    elif not holds:
        raise Unsupported


def require_dtype(dtype: Any, wanted: Any, out: Any = None) -> None:
    """Have NumPy draw numbers of other dtypes, and into arrays."""
    try:
        if out is not None or np.dtype(dtype) != wanted:
            raise Unsupported
    except TypeError:
        raise Unsupported from None


def require_not_negative(x: Any, what: str) -> None:
    """Have NumPy draw where a scale is negative, as -0.0 is for NumPy."""
    import lazyarr.numpy as lazy

    if isinstance(x, LazyArray):
        require(scalar_of_array(lazy.logical_not(lazy.any(lazy.signbit(x))), bool), what)
    else:
        require(math.copysign(1.0, x) > 0 if type(x) is float else x > 0.0, what)


def int_value(x: Any) -> Value:
    """An int as an operand."""
    if isinstance(x, WeakScalar):
        dtype = DTYPES["i64"]
        return _cast(x.weak_value(dtype), dtype)
    return const(x, DTYPES["i64"])


def _cast(value: Value, dtype: np.dtype[Any]) -> Value:
    return value if value.type.dtype == dtype and not value.type.weak else record(OPS["cast"], value, dtype=dtype)


def float_value(x: Any) -> Value:
    """A number as an operand of float64."""
    dtype = DTYPES["f64"]
    return _cast(x.weak_value(dtype), dtype) if isinstance(x, WeakScalar) else const(x, dtype)


def one_number(x: Any) -> Any:
    """A parameter that is one number."""
    found = number(x)
    return unsupported() if isinstance(found, LazyArray) else found


def floats(draw: Draw, distribution: str, shape: tuple[int, ...] | None, *parameters: Value) -> Any:
    """An array, or one number: a Python float."""
    found = draw(distribution, shape or (), *parameters)
    return scalar_of_array(found, float) if shape is None else found


def as_int(found: LazyArray, low: Any, high: Any) -> ComputedScalar:
    """One integer, as Python's; what is known of its range lets checks of indices be left out."""
    limits = [x if isinstance(x, int) and type(x) is int else None for x in (low, high)]
    least = limits[0] if limits[0] is not None else low.low if isinstance(low, ComputedScalar) else -(2**63)
    most = limits[1] if limits[1] is not None else high.high if isinstance(high, ComputedScalar) else 2**63 - 1
    return ComputedScalar(found._value(), int, low=least, high=most - 1)


def counts(found: LazyArray, shape: tuple[int, ...] | None) -> Any:
    """Numbers that are not negative: an array, or Python's int."""
    return as_int(found, 0, 2**63 - 1) if shape is None else found
