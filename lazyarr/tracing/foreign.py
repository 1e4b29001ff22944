"""Functions that other packages have compiled: they take NumPy's arrays and Python's numbers, and may write to arrays.

SciPy's minimizers call such functions, which know no `__array__`: they are given data, and what they write is written.
"""

from __future__ import annotations

import dis
import functools
import types
from abc import ABCMeta
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.tracing.classes import original
from lazyarr.tracing.control.foreign import acts
from lazyarr.tracing.packages import is_users, top_level
from lazyarr.tracing.signature import Plain
from lazyarr.weak import WeakScalar

if TYPE_CHECKING:
    from lazyarr.tracing.trace import Trace

_NUMBERS = (bool, int, float, complex, str, bytes, type(None))
_CONSTANTS = (*_NUMBERS, type, ABCMeta, types.FunctionType, types.BuiltinFunctionType)
_WHY = "a call of another package's compiled function"


def is_foreign(function: Any) -> bool:
    """Whether a function is compiled code of a package that is neither Python's own nor NumPy's."""
    if isinstance(function, types.BuiltinFunctionType):
        if isinstance(function.__self__, types.ModuleType):
            home = function.__self__.__name__
        elif type(function.__self__).__name__ == "PyCapsule":  # pybind11's
            home = function.__module__ or ""
        else:
            return False  # a method
    elif type(function).__name__ == "cython_function_or_method":
        home = function.__module__ or ""
    else:
        return not isinstance(function, type) and _is_called_by_others(type(function))
    return is_users(home) or top_level(home) == "scipy"


def _is_called_by_others(kind: type) -> bool:
    """Whether what calls objects of a class is compiled code of a package: of Numba's functions, say, or nanobind's."""
    for base in kind.__mro__:
        if "__call__" in vars(base):
            return isinstance(vars(base)["__call__"], types.WrapperDescriptorType) and is_users(base.__module__)
    return False


def on_data(trace: Trace, function: Callable[..., Any], why: str) -> Callable[..., Any]:
    """`function` as traced functions call it: it keeps them from being compiled as a whole."""

    def call(*args: Any, **kwargs: Any) -> Any:
        trace.observed(why)
        return call_on_data(function, args, kwargs)

    return call


def foreign(trace: Trace, function: Callable[..., Any]) -> Callable[..., Any]:
    """Another package's compiled function, as traced functions call it."""
    name = getattr(function, "__name__", type(function).__name__)
    return on_data(trace, function, f"calls {top_level(getattr(function, '__module__', None))}.{name}")


def call_on_data(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a function with data in place of lazy arrays and traced numbers; what it writes is written."""
    given = _Given()
    result = function(*map(given.data, args), **{name: given.data(x) for name, x in kwargs.items()})
    given.write_back()
    return given.lazy(result)


#: What ``functools.lru_cache`` makes of a function.
Remembering: type = functools._lru_cache_wrapper
#: Whether functions change more than their arguments.
_KNOWN: WeakKeyDictionary[types.FunctionType, bool] = WeakKeyDictionary()
_ACTING = {"print", "open", "input", "next", "setattr", "delattr", "breakpoint", "__import__"}
_STORES = {"STORE_ATTR", "DELETE_ATTR", "STORE_GLOBAL", "DELETE_GLOBAL"}


def remembering(trace: Trace, function: Any, instance: Any = None) -> Callable[..., Any]:
    """A function that remembers its results, as traced functions call it: it is given data, and remembers data.

    What it remembers is the user's: functions and classes, not what stands for them in this trace.
    """
    own = function.__wrapped__
    why = f"calls {own.__name__}, which remembers its results"
    environment = trace.environment
    given = on_data(trace, function, why)

    def plain(x: Any) -> Any:
        if type(x) is tuple:
            return tuple(map(plain, x))
        found = environment.original(original(x) if isinstance(x, type) else x)
        if trace.may_begin_again and (environment.has_made(found) or _holds_the_traces(trace, x)):
            raise Plain(why)
        return found

    def call(*args: Any, **kwargs: Any) -> Any:
        if instance is not None:
            if trace.may_begin_again:
                raise Plain(why)  # Its objects are the caller's, and hold data.
            args = (instance, *args)
        args, kwargs = tuple(map(plain, args)), {name: plain(x) for name, x in kwargs.items()}
        everything = (*args, *kwargs.values())
        if not any(map(_changes, (own, *everything))) and all(map(_is_constant, everything)):
            trace.looked(why)
            result = function(*args, **kwargs)
        else:
            result = given(*args, **kwargs)
        if isinstance(result, (*_NUMBERS, np.ndarray, np.generic, LazyArray)):
            return result
        if not trace.may_begin_again and not environment.can_take(result):
            return result
        return environment.fixed(result, f"what {own.__name__} remembers")

    vars(call).update({name: getattr(function, name) for name in ("cache_info", "cache_clear", "cache_parameters")})
    return call


def _holds_the_traces(trace: Trace, x: Any) -> bool:
    """Whether something is an object of the caller's, as the function sees it, or made, and holds more than constants.

    (What the caller's holds now is not known to the object itself.)
    """
    if not trace.classes.stands(x):
        return False
    return not trace.classes.is_made(x) or not all(map(_is_constant, vars(x).values()))


def _changes(x: Any) -> bool:
    """Whether something is a function that changes more than its arguments, or may do so."""
    if type(x) is tuple:
        return any(map(_changes, x))
    if isinstance(x, types.BuiltinFunctionType):
        return x.__name__ in _ACTING or top_level(x.__module__) not in ("builtins", "math", "cmath")
    if not isinstance(x, types.FunctionType):
        return False
    if x not in _KNOWN:
        _KNOWN[x] = acts(x) or any(step.opname in _STORES for step in dis.get_instructions(x))
    return _KNOWN[x]


def _is_constant(x: Any) -> bool:
    return all(map(_is_constant, x)) if type(x) is tuple else type(x) in _CONSTANTS


def may_write(trace: Trace, function: types.FunctionType) -> Callable[..., Any]:
    """A function of SciPy's, which takes lazy arrays, as traced functions call it: it may write to arguments."""
    written = on_data(trace, function, f"calls scipy's {function.__name__}, which writes to an argument")

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except ValueError as error:
            if "read-only" not in str(error):
                raise
        return written(*args, **kwargs)

    return call


class _Given:
    """What a compiled function gets, and what it got it in place of."""

    def __init__(self) -> None:
        self._arrays: dict[int, tuple[LazyArray, Any, bytes]] = {}
        self._lazy: dict[int, LazyArray] = {}
        self._holders: list[tuple[Any, Any, Any]] = []

    def data(self, x: Any) -> Any:
        """What is given for an argument: itself, where it has no lazy arrays and no traced numbers."""
        if isinstance(x, LazyArray):
            if id(x) not in self._arrays:
                data = x._copied_data(_WHY)
                self._arrays[id(x)] = (x, data, data.tobytes())
                self._lazy[id(data)] = x
            data = self._arrays[id(x)][1]
            return data[()] if x._scalar else data
        if isinstance(x, WeakScalar):
            return x.python_type(x)
        if type(x) is dict:
            items: Any = {key: self.data(item) for key, item in x.items()}
            return self._holder(x, items, any(items[key] is not x[key] for key in x))
        if isinstance(x, (list, tuple)) and not hasattr(x, "_fields"):
            found = [self.data(item) for item in x]
            changed = any(a is not b for a, b in zip(found, x, strict=True))
            return self._holder(x, found, changed) if isinstance(x, list) else tuple(found) if changed else x
        return x

    def _holder(self, x: Any, data: Any, changed: bool) -> Any:
        if not changed:
            return x
        self._holders.append((x, data, data.copy()))
        return data

    def write_back(self) -> None:
        """Have lazy arrays, lists and dicts be as the function has left what it was given for them."""
        for array, data, before in self._arrays.values():
            if not array._scalar and data.tobytes() != before:
                array[...] = data
        for holder, data, before in self._holders:
            if isinstance(holder, list):
                if len(data) != len(before) or any(a is not b for a, b in zip(data, before, strict=True)):
                    holder[:] = map(self.lazy, data)
                continue
            for key in before.keys() - data.keys():
                del holder[key]
            for key, item in data.items():
                if key not in before or before[key] is not item:
                    holder[key] = self.lazy(item)

    def lazy(self, value: Any) -> Any:
        """The array that `value` was given for; else `value`."""
        return self._lazy.get(id(value), value)
