"""NumPy's functions of little data."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.ir.types import NAMES
from lazyarr.little.data import NUMBERS, Method, held, limits, new, own, run, tracing
from lazyarr.little.operators import size_of_both
from lazyarr.quiet import quietly
from lazyarr.runtime import storage_lock
from lazyarr.world import done_at_once

_ndarray = np.ndarray
#: Arguments that are no data.
_PLAIN = NUMBERS | {str, type(None)}
#: Functions whose results are new arrays -> how many of their first arguments are data.
_FUNCTIONS: dict[Any, int] = {
    **dict.fromkeys((
        np.sum, np.prod, np.max, np.min, np.mean, np.std, np.var, np.median, np.any, np.all, np.argmax, np.argmin,
        np.ptp, np.cumsum, np.cumprod, np.sort, np.argsort, np.concatenate, np.stack, np.vstack, np.hstack,
        np.column_stack, np.diff, np.trace, np.roll, np.count_nonzero, np.linalg.norm, np.linalg.inv, np.linalg.det,
        np.zeros_like, np.ones_like, np.empty_like, np.array, np.asarray,
    ), 1),
    **dict.fromkeys((np.dot, np.vdot, np.percentile, np.quantile, np.searchsorted, np.cross, np.take,
                     np.linalg.solve, np.outer), 2),
    **dict.fromkeys((np.clip, np.where, np.interp), 3),
}  # fmt: skip
_OF_LISTS = frozenset((np.array, np.asarray))
#: Arguments with which functions write to their arguments, or warn by themselves.
_SPECIAL = frozenset(("overwrite_input", "ddof", "correction", "mean", "like", "copy", "shape"))
#: Methods that `reduction` stands before.
REDUCTIONS = frozenset("all any argmax argmin cumprod cumsum max mean min prod std sum var".split())
#: Functions that make arrays of numbers alone -> how many elements they make of their arguments.
_SIZES: dict[Any, Callable[..., float]] = {
    **dict.fromkeys((np.zeros, np.ones, np.empty, np.full), lambda shape, *_: math.prod(_tuple(shape))),
    np.eye: lambda n, m=None, *_: n * (n if m is None else m),
    np.identity: lambda n, *_: n * n,
    np.arange: lambda a, b=None, step=1, *_: abs(a if b is None else b - a) / abs(step),
    np.linspace: lambda start, stop, num=50, *_: num + 0 * (start + stop),
}
#: The most Python numbers in an argument that are looked at.
_MOST_NUMBERS = 1000
#: Memory that nobody has written to is zeros, alike on all ranks.
_ZEROS: dict[Any, Any] = {np.empty: np.zeros, np.empty_like: np.zeros_like}
#: What an element costs, in additions.
_WORK = 4


def call(ufunc: np.ufunc, args: tuple[Any, ...], cost: float) -> LazyArray | None:
    """A call of a ufunc with one result; None where it is not one of little data that is there."""
    if len(args) == 1 and type(args[0]) is LazyArray:
        only = held(args[0])
        if only is None or only.size * cost >= limits.elements or tracing() is not None:
            return None
        return new(run(ufunc, only))
    arrays, data = [], []
    for x in args:
        if type(x) is LazyArray:
            y = held(x)
            if y is None:
                return None
            arrays.append(y)
            data.append(y)
        elif type(x) in NUMBERS:
            data.append(x)
        else:
            return None
    size = size_of_both(arrays[0], arrays[-1]) if arrays else 1
    if size * cost >= limits.elements or tracing() is not None:
        return None
    found = run(ufunc, *data)
    # (Python's ints may be too large for NumPy's.)
    return new(found) if arrays or isinstance(found, np.generic) else None


def into(ufunc: np.ufunc, args: tuple[Any, ...], out: Any, cost: float) -> LazyArray | None:
    """A call of a ufunc that writes its one result into an array; None where it is not one of little data."""
    out = out[0] if type(out) is tuple and len(out) == 1 else out
    if type(out) is not LazyArray or tracing() is not None:
        return None
    data = [held(x) if type(x) is LazyArray else x if type(x) in NUMBERS else None for x in args]
    if any(x is None for x in data):
        return None
    with storage_lock:
        target = own(out)
        if type(target) is not _ndarray or target.size * cost >= limits.elements:
            return None
        run(_called, ufunc, data, {"out": target})
    return out


class _Given:
    """The data of arguments of which what is lazy is there."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []
        self.numbers = 0

    def of(self, x: Any, depth: int = 3) -> Any:
        """An argument for NumPy; raises `LookupError` where it is of another kind."""
        kind = type(x)
        if kind is LazyArray:
            data = held(x)
            if data is None or data.size == 0:
                raise LookupError
            self.shapes.append(data.shape)
            return data
        if kind in _PLAIN or isinstance(x, (np.dtype, type)):
            self.numbers += 1
            if self.numbers > _MOST_NUMBERS:
                raise LookupError
            return x
        if kind in (tuple, list) and depth:
            return kind([self.of(item, depth - 1) for item in x])
        raise LookupError

    def size(self, numpy: Any) -> int:
        """Elements of a result at most."""
        sizes = [math.prod(shape) for shape in self.shapes]
        alike = _FUNCTIONS[numpy] == 1 or len({*self.shapes, ()}) <= 2
        return sum(sizes) if alike and numpy is not np.outer else max(math.prod(sizes), sum(sizes))


def function(numpy: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A call of one of NumPy's functions; None where it is not one of little data that is there."""
    if not limits.elements or tracing() is not None:
        return None
    count = _FUNCTIONS.get(numpy)
    if count is None:
        return _created(numpy, args, kwargs) if numpy in _SIZES else None
    if len(args) > count + 2 or not _SPECIAL.isdisjoint(kwargs):
        return None
    of_lists = numpy in _OF_LISTS
    if of_lists and (not args or type(args[0]) not in (list, tuple)):
        return None
    given = _Given()
    try:
        data = [given.of(x) for x in args[:count]]
        arrays = len(given.shapes)
        data += [given.of(x) for x in args[count:]]
        named = {name: given.of(x) for name, x in kwargs.items()}
    except LookupError:
        return None
    # (Elsewhere an array is one to write to, or a number.)
    if not (arrays or of_lists) or len(given.shapes) > arrays:
        return None
    if given.size(numpy) * _WORK >= limits.elements:
        return None
    found = quietly(_called, _ZEROS.get(numpy, numpy), data, named)
    done_at_once()
    if type(found) is _ndarray:
        is_own = found.base is None and not any(found is x for x in data)
        return new(found) if is_own and found.dtype in NAMES else None
    return new(found) if isinstance(found, np.generic) and found.dtype in NAMES else None


def reduction(numpy: Any, general: Method) -> Method:
    """A reduction as a method, without the steps that functions of several arguments take."""

    @wraps(general)
    def method(self: LazyArray, *args: Any, **kwargs: Any) -> Any:
        x = None if args or len(kwargs) > 1 else held(self)
        if type(x) is not _ndarray or not 0 < x.size * _WORK < limits.elements or tracing() is not None:
            return general(self, *args, **kwargs)
        if kwargs:
            axis = kwargs.get("axis")
            return new(quietly(numpy, x, axis)) if type(axis) is int and x.ndim > 1 else general(self, **kwargs)
        return new(quietly(numpy, x))

    return method


def _called(numpy: Any, args: Iterable[Any], kwargs: dict[str, Any]) -> Any:
    return numpy(*args, **kwargs)


def _tuple(shape: Any) -> tuple[Any, ...]:
    return shape if type(shape) is tuple else (shape,)


def _created(numpy: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> LazyArray | None:
    """A small new array that is made of numbers."""
    if not _SPECIAL.isdisjoint(kwargs) or not all(
        type(x) in _PLAIN or isinstance(x, (np.dtype, type, tuple)) for x in (*args, *kwargs.values())
    ):
        return None
    try:
        size = _SIZES[numpy](*args, **{name: kwargs[name] for name in ("num",) if name in kwargs})
    except (TypeError, ZeroDivisionError):
        return None
    if not 0 <= size < limits.elements:
        return None
    found = quietly(_called, _ZEROS.get(numpy, numpy), args, kwargs)
    done_at_once()
    return new(found) if type(found) is _ndarray and found.base is None and found.dtype in NAMES else None
