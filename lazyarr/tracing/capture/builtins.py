"""Python's builtins applied to numbers and lengths that the program computes."""

from __future__ import annotations

import builtins
import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.computed import (
    ComputedScalar,
    certain,
    computed,
    convert,
    floor_of,
    guard_exact,
    is_number,
    kind_of,
    scalar_of_array,
)
from lazyarr.computed_arithmetic import larger, smaller
from lazyarr.convert import as_lazy
from lazyarr.growing import Growing
from lazyarr.ir import extents
from lazyarr.ir.node import Value
from lazyarr.ir.op import OPS
from lazyarr.ops.create import const
from lazyarr.ops.elementwise import SELECT
from lazyarr.runtime import NotCaptured, record
from lazyarr.soft import Soft, joined, of, settle
from lazyarr.tracing.capture.counted import (
    lazy_enumerate,
    lazy_ndenumerate,
    lazy_ndindex,
    lazy_product,
    lazy_range,
    lazy_reversed,
    lazy_zip,
    length_number,
)
from lazyarr.tracing.scalars import python_call
from lazyarr.tracing.standins import is_instance

if TYPE_CHECKING:
    from lazyarr.tracing.capture.control import Capture
    from lazyarr.tracing.trace import Trace


def _kind(kind: type) -> Callable[..., Any]:
    """``int(x)``, ``float(x)``, ``complex(x)``, ``bool(x)``."""

    def call(control: Capture, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and not kwargs:
            [x] = args
            if type(x) is ComputedScalar:
                if kind is bool:
                    return x.truth()
                if kind is int:
                    return floor_of(x, "trunc") if x.kind is float else convert(x, int)
                if kind is float and x.kind is complex:
                    raise TypeError("float() argument must be a string or a real number, not 'complex'")
                return certain(convert(x, kind))
            if isinstance(x, LazyArray) and not control._in_pieces() and (x._scalar or not x.ndim):
                return scalar_of_array(x, kind)
        if kind is complex and len(args) == 2 and not control._in_pieces() and any(
            type(x) is ComputedScalar or isinstance(x, LazyArray) for x in args
        ):
            real, imag = (scalar_of_array(x, float) if isinstance(x, LazyArray) else convert(x, float) for x in args)
            return ComputedScalar(record(OPS["complex"], real.value, imag.value), complex)
        return python_call(kind)(*args, **kwargs)

    return call


def item_asked(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> LazyArray | None:
    """The array without axes of which ``x.item()``, ``x.item(k)`` or ``x.tolist()`` gives the number; else None."""
    x, method = getattr(function, "__self__", None), getattr(function, "__func__", None)
    if kwargs or not isinstance(x, LazyArray) or method is None:
        return None
    asked = next((name for name in ("item", "tolist") if method is getattr(type(x), name)), None)
    if asked is None or x.dtype.kind not in "biufc" or x.dtype.itemsize > (16 if x.dtype.kind == "c" else 8):
        return None
    settle(x)  # (Python's own numbers have no such methods.)
    if args:
        at = args[0] if len(args) == 1 and type(args[0]) is tuple else args
        whole = all(isinstance(k, int) and type(k) is not bool for k in at)
        return x[at] if asked == "item" and whole and len(at) == x.ndim and not x._scalar else None
    if asked == "tolist":
        return x if x._scalar or not x.ndim else None
    return x.reshape(()) if extents.is_static(x.shape) and x.size == 1 else None


def number_in(x: LazyArray) -> Any:
    """Python's number that an array without axes holds."""
    return scalar_of_array(x, {"b": bool, "f": float, "c": complex}.get(x.dtype.kind, int))


def _extreme(name: str) -> Callable[..., Any]:
    """``min`` and ``max`` of several values."""
    plain = getattr(builtins, name)

    def call(control: Capture, *args: Any, **kwargs: Any) -> Any:
        items = list(args)
        if len(args) == 1 and isinstance(args[0], (list, tuple)):
            items = list(args[0])
        if len(args) == 1 and isinstance(args[0], LazyArray) and args[0].ndim == 1 and not kwargs:
            import lazyarr.numpy as lazy_numpy

            if args[0].dtype.kind in "iub":
                return (lazy_numpy.min if name == "min" else lazy_numpy.max)(args[0])
            return plain(*args)
        lazy = any(type(x) is ComputedScalar or isinstance(x, LazyArray) for x in items)
        if lazy:
            items = [as_lazy(x) if isinstance(x, np.generic) else x for x in items]
        if kwargs or not lazy or len(items) < 2 or control._in_pieces():
            return plain(*args, **kwargs)
        found = items[0]
        for item in items[1:]:
            found = _chosen(control.trace, name, found, item)
        return found

    return call


def _chosen(trace: Trace, name: str, a: Any, b: Any) -> Any:
    """``min(a, b)`` or ``max(a, b)``: the first unless the second is less, or greater."""
    if all(is_number(x) and kind_of(x) is int for x in (a, b)):
        return smaller(a, b) if name == "min" else larger(a, b)
    takes_second = b < a if name == "min" else b > a
    if type(takes_second) is bool:
        return b if takes_second else a
    if is_number(a) and is_number(b):
        if kind_of(a) is not kind_of(b):
            raise NotCaptured(f"{name}() of numbers of two types")
        x, y = computed(a), computed(b)
        return ComputedScalar(record(SELECT, takes_second.value, y.value, x.value), x.kind)
    arrays = [x for x in (a, b) if isinstance(x, LazyArray)]
    if any(x.ndim for x in arrays):
        raise NotCaptured(f"{name}() of arrays")
    # A Python number beside a NumPy scalar: which it is is known at run time, and noted.
    dtype = arrays[0].dtype
    if any(x.dtype != dtype for x in arrays) or any(
        is_number(x) and {bool: 0, int: 1, float: 2, complex: 3}[kind_of(x)] > _RANKS[dtype.kind] for x in (a, b)
    ):
        raise NotCaptured(f"{name}() of numbers of two types")
    values = [x._value() if isinstance(x, LazyArray) else _as_scalar(x, dtype) for x in (a, b)]
    condition = takes_second._value() if isinstance(takes_second, LazyArray) else takes_second.value
    found = record(SELECT, condition, values[1], values[0])
    known = [Soft(const(False), joined([of(x)]) | {kind_of(x)}) if is_number(x) else of(x) for x in (a, b)]
    if kinds := joined(known):
        flags = [const(True) if one is None else one.certain for one in known]
        trace.soft[found] = Soft(record(SELECT, condition, flags[1], flags[0]), kinds)
    return LazyArray._new(found, scalar=True)


def _as_scalar(x: Any, dtype: np.dtype[Any]) -> Value:
    """A Python number as a NumPy scalar that it may stand beside."""
    number = computed(x)
    if dtype.kind in "iu" and number.kind is int:
        limits = np.iinfo(dtype)
        if number.high < limits.min or number.low > limits.max:
            raise NotCaptured("min() or max() of numbers of two types")
    if dtype.kind in "fc" and number.kind is int:
        guard_exact(number)
    return record(OPS["cast"], number.weak_value(dtype), dtype=dtype)


_RANKS = {"b": 0, "i": 1, "u": 1, "f": 2, "c": 3}


def _len(control: Capture, *args: Any) -> Any:
    if len(args) == 1 and isinstance(args[0], LazyArray) and args[0].ndim and type(args[0]._shape[0]) is not int:
        return length_number(args[0]._shape[0])
    if len(args) == 1 and isinstance(args[0], Growing) and args[0].buffer is not None:
        return args[0].buffer.length
    return len(*args)


def _sum(control: Capture, *args: Any, **kwargs: Any) -> Any:
    if len(args) == 1 and not kwargs and isinstance(args[0], LazyArray) and args[0].ndim == 1:
        import lazyarr.numpy as np

        length = args[0]._shape[0]
        if type(length) is not int or length > 16:
            total = np.sum(args[0], dtype=args[0].dtype if args[0].dtype.kind in "iufc" else None)
            if type(length) is not int:
                # Of no elements it is Python's 0, with which it begins.
                some = length_number(length) > 0
                if some is not True:
                    control.trace.soft[total._value()] = Soft(computed(some).value, frozenset([int]))
            return total
    return sum(*args, **kwargs)


def _round(control: Capture, *args: Any, **kwargs: Any) -> Any:
    if len(args) == 1 and isinstance(args[0], LazyArray) and args[0]._scalar and not control._in_pieces():
        if args[0].dtype.kind == "f" and args[0].dtype.itemsize == 8:
            return floor_of(scalar_of_array(args[0], float), "rint")
    return python_call(round)(*args, **kwargs)


def _range(control: Capture, *args: Any) -> Any:
    return lazy_range(*args)


def _isinstance(control: Capture, x: Any, classes: Any) -> bool:
    return is_instance(x, classes)


def _type(control: Capture, *args: Any) -> Any:
    return control.trace.environment.type_of(*args)


def _numeric(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(control: Capture, *args: Any, **kwargs: Any) -> Any:
        return python_call(function)(*args, **kwargs)

    return call


def _all_true(name: str) -> Callable[..., Any]:
    """``numpy.allclose`` and the like, which give a Python bool."""

    def call(control: Capture, *args: Any, **kwargs: Any) -> Any:
        import lazyarr.numpy as np

        plain = getattr(np, name)
        arrays = [x for x in args[:2] if isinstance(x, LazyArray)]
        if control._in_pieces() or len(args) < 2 or not arrays or len(args) > 2 and name != "allclose":
            return plain(*args, **kwargs)
        if name == "allclose":
            return scalar_of_array(np.all(np.isclose(*args, **kwargs)), bool)
        a, b = np.asarray(args[0]), np.asarray(args[1])
        if kwargs or not all(extents.is_static(x.shape) for x in (a, b)):
            return plain(*args, **kwargs)
        return scalar_of_array(np.all(a == b), bool) if a.shape == b.shape else False

    return call


def numpy_functions() -> dict[Any, Callable[..., Any]]:
    """NumPy's functions that give Python numbers."""
    import lazyarr.numpy as np

    return {np.allclose: _all_true("allclose"), np.array_equal: _all_true("array_equal")}


#: What stands for a builtin in transformed code: called with the control object first.
REPLACED: dict[Any, Callable[..., Any]] = {
    range: _range, len: _len, min: _extreme("min"), max: _extreme("max"),
    int: _kind(int), float: _kind(float), complex: _kind(complex), bool: _kind(bool), sum: _sum, round: _round,
    type: _type, isinstance: _isinstance, abs: _numeric(abs), pow: _numeric(pow),
}  # fmt: skip

#: What stands for functions where a ``for`` runs over what they give. (Elsewhere that is an iterator, which others
#: may use up.)
ITERATED: dict[Any, Callable[..., Any]] = {
    enumerate: lazy_enumerate, zip: lazy_zip, reversed: lazy_reversed, itertools.product: lazy_product,
    np.ndindex: lazy_ndindex, np.ndenumerate: lazy_ndenumerate,
}  # fmt: skip
