"""NumPy's functions of little data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.ir.types import NAMES
from lazyarr.little.data import NUMBERS, Method, held, limits, made, new, own, run, tracing
from lazyarr.little.operators import is_data, size_of_both
from lazyarr.little.table import FUNCTIONS, GROWN, NOT_COMPILED, OF_LISTS, SIZES, SPECIAL, WRITERS, ZEROS, together
from lazyarr.quiet import quietly
from lazyarr.runtime import storage_lock
from lazyarr.world import done_at_once

_ndarray = np.ndarray
#: Arguments that are no data.
_PLAIN = NUMBERS | {str, type(None)}
#: Methods that `reduction` stands before.
REDUCTIONS = frozenset("all any argmax argmin cumprod cumsum max mean min prod std sum var".split())
#: The most Python numbers in an argument that are looked at.
_MOST_NUMBERS = 1000


def call(ufunc: np.ufunc, args: tuple[Any, ...], cost: float) -> Any:
    """A call of a ufunc; None where it is not one of little data that is there."""
    if len(args) == 1 and type(args[0]) is LazyArray:
        only = held(args[0])
        if only is None or only.size * cost >= limits.elements or tracing() is not None:
            return None
        found = run(ufunc, only)
        return tuple(map(new, found)) if type(found) is tuple else new(found)
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
        elif is_data(x):
            arrays.append(x)
            data.append(x)
        else:
            return None
    size = size_of_both(arrays[0], arrays[-1]) if arrays else 1
    if size * cost >= limits.elements or tracing() is not None:
        return None
    found = run(ufunc, *data)
    if type(found) is tuple:
        return tuple(map(new, found)) if arrays else None
    # (Python's ints may be too large for NumPy's.)
    return new(found) if arrays or isinstance(found, np.generic) else None


def into(ufunc: np.ufunc, args: tuple[Any, ...], out: Any, cost: float) -> LazyArray | None:
    """A call of a ufunc that writes its one result into an array; None where it is not one of little data."""
    out = out[0] if type(out) is tuple and len(out) == 1 else out
    if type(out) is not LazyArray or tracing() is not None:
        return None
    data = [held(x) if type(x) is LazyArray else x if type(x) in NUMBERS or is_data(x) else None for x in args]
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
        self.arrays: list[Any] = []
        self.numbers = 0

    def of(self, x: Any, depth: int = 3) -> Any:
        """An argument for NumPy; raises `LookupError` where it is of another kind."""
        kind = type(x)
        if kind is LazyArray:
            data = held(x)
            if data is None or data.size == 0:
                raise LookupError
            self.arrays.append(data)
            return data
        if kind in _PLAIN or isinstance(x, (np.dtype, type)):
            self.numbers += 1
            if self.numbers > _MOST_NUMBERS:
                raise LookupError
            return x
        if kind in (tuple, list) and depth:
            return kind([self.of(item, depth - 1) for item in x])
        if is_data(x) and x.size:
            self.arrays.append(x)
            return x
        raise LookupError


def function(numpy: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A call of one of NumPy's functions; None where it is not one of little data that is there.

    What writes into its argument gives `Ellipsis` when it is done.
    """
    if not limits.elements or tracing() is not None:
        return None
    known = FUNCTIONS.get(numpy)
    if known is None:
        if numpy in WRITERS:
            return ... if write(numpy, args, kwargs) else None
        return _created(numpy, args, kwargs) if numpy in SIZES else None
    return _computed(numpy, args, kwargs, *known)


def fold(numpy: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A call of a ufunc's ``reduce``, ``accumulate`` or ``reduceat``; None where it is not one of little data."""
    return None if not limits.elements or tracing() is not None else _computed(numpy, args, kwargs, 2, together)


def _computed(
    numpy: Any, args: tuple[Any, ...], kwargs: dict[str, Any], count: int, work: Callable[[Sequence[Any]], float]
) -> Any:
    """A call whose first `count` arguments hold little data that is there; None if it is another."""
    if len(args) == 1 and not kwargs and type(args[0]) is LazyArray:
        # Most calls, without the steps that others take.
        only = held(args[0])
        if type(only) is _ndarray and 0 < only.size < limits.elements:
            if numpy not in GROWN or GROWN[numpy](only) < limits.elements:
                found = quietly(ZEROS.get(numpy, numpy), only)
                done_at_once()
                return results(found, (only,))
        return None
    if len(args) > count + 2 or not SPECIAL.isdisjoint(kwargs):
        return None
    if numpy in NOT_COMPILED and not NOT_COMPILED[numpy].isdisjoint(kwargs):
        return None
    of_lists = numpy in OF_LISTS
    if of_lists and (not args or type(args[0]) not in (list, tuple)):
        return None
    given = _Given()
    try:
        data = [given.of(x) for x in args[:count]]
        arrays = len(given.arrays)
        data += [given.of(x) for x in args[count:]]
        named = {name: given.of(x) for name, x in kwargs.items()}
        # (Elsewhere an array is one to write to, or a number.)
        if not (arrays or of_lists) or len(given.arrays) > arrays:
            return None
        size = work(given.arrays)
        if numpy in GROWN:
            size = max(size, GROWN[numpy](*data, **named))
    except (LookupError, TypeError, ValueError):
        return None
    if size >= limits.elements:
        return None
    found = quietly(_called, ZEROS.get(numpy, numpy), data, named)
    done_at_once()
    return results(found, given.arrays)


def results(found: Any, arrays: Sequence[Any]) -> Any:
    """Results of NumPy as arrays of their own; None where they are not."""
    kind = type(found)
    if kind is _ndarray:
        base = found.base
        is_own = found.flags.writeable and not any(found is x or (base is not None and base is x) for x in arrays)
        if base is not None and is_own:
            is_own = not any(np.may_share_memory(base, x) for x in arrays)
        return made(found) if is_own and found.dtype in NAMES else None
    if isinstance(found, tuple):
        items = [results(item, arrays) for item in found]
        if any(item is None for item in items):
            return None
        return kind._make(items) if hasattr(kind, "_make") else tuple(items)
    if kind is bool:
        return found
    return new(found) if isinstance(found, np.generic) and found.dtype in NAMES else None


def write(numpy: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """A call of what writes into its first argument; False where it is not one of little data that is there."""
    if not args or type(args[0]) is not LazyArray or tracing() is not None:
        return False
    given = _Given()
    try:
        data = [given.of(x) for x in args[1:]]
        named = {name: given.of(x) for name, x in kwargs.items()}
    except LookupError:
        return False
    with storage_lock:
        target = own(args[0])
        if type(target) is not _ndarray or sum(x.size for x in (target, *given.arrays)) >= limits.elements:
            return False
        quietly(_called, numpy, [target, *data], named)
    done_at_once()
    return True


def writing(numpy: Any, general: Method) -> Method:
    """A method that writes into its array."""

    @wraps(general)
    def method(self: LazyArray, *args: Any, **kwargs: Any) -> Any:
        return None if write(numpy, (self, *args), kwargs) else general(self, *args, **kwargs)

    return method


def reduction(numpy: Any, general: Method) -> Method:
    """A reduction as a method, without the steps that functions of several arguments take."""

    @wraps(general)
    def method(self: LazyArray, *args: Any, **kwargs: Any) -> Any:
        x = None if args or len(kwargs) > 1 else held(self)
        if type(x) is not _ndarray or not 0 < x.size < limits.elements or tracing() is not None:
            return general(self, *args, **kwargs)
        if kwargs:
            axis = kwargs.get("axis")
            return new(quietly(numpy, x, axis)) if type(axis) is int and x.ndim > 1 else general(self, **kwargs)
        return new(quietly(numpy, x))

    return method


def _called(numpy: Any, args: Iterable[Any], kwargs: dict[str, Any]) -> Any:
    return numpy(*args, **kwargs)


def _created(numpy: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A small new array that is made of numbers."""
    if not SPECIAL.isdisjoint(kwargs) or not all(
        type(x) in _PLAIN or isinstance(x, (np.dtype, type, tuple)) for x in (*args, *kwargs.values())
    ):
        return None
    try:
        size = SIZES[numpy](*args, **{name: kwargs[name] for name in ("num",) if name in kwargs})
    except (TypeError, ZeroDivisionError):
        return None
    if not 0 <= size < limits.elements:
        return None
    found = quietly(_called, ZEROS.get(numpy, numpy), args, kwargs)
    done_at_once()
    return results(found, ())
