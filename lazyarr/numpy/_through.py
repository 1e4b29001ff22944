"""NumPy's own Python definitions, run over lazy arrays.

Much of NumPy is written in Python on top of NumPy: ``np.var``, ``np.gradient``, ``np.cov``, ``np.linalg.norm``. For
those the most faithful implementation is NumPy's: its function with a namespace in which NumPy's names mean lazyarr's.
Nothing of NumPy is changed; the function objects here are new ones around NumPy's code.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numpy as np

from lazyarr.dispatch import FUNCTIONS, UFUNCS, NotCompiled, dispatched, implements

_globals: dict[int, dict[str, Any]] = {}
_functions: dict[types.FunctionType, types.FunctionType] = {}
_callers: dict[int, Callable[..., Any]] = {}
#: Replacements for NumPy names that are no public function: {NumPy object: lazy object}.
SUBSTITUTES: dict[int, Any] = {}


def rebound(function: Any) -> types.FunctionType:
    """NumPy's Python function with lazyarr's meaning of NumPy's names.

    Parameters
    ----------
    function : function
        A Python function of NumPy, or the public dispatcher around one.
    """
    plain: types.FunctionType = getattr(function, "_implementation", function)
    found = _functions.get(plain)
    if found is None:
        found = types.FunctionType(plain.__code__, _namespace(plain.__globals__), plain.__name__, plain.__defaults__,
                                   plain.__closure__)  # fmt: skip
        found.__kwdefaults__ = plain.__kwdefaults__
        _functions[plain] = found
    return found


def _namespace(original: dict[str, Any]) -> dict[str, Any]:
    """A module's globals with NumPy's names replaced; one copy a module."""
    found = _globals.get(id(original))
    if found is None:
        found = _globals[id(original)] = dict(original)
        for name, value in original.items():
            found[name] = substitute(value)
    return found


def substitute(value: Any) -> Any:
    """What `value`, an object of NumPy's, is to a function that works on lazy arrays."""
    special = SUBSTITUTES.get(id(value))
    if special is not None:
        return special
    if isinstance(value, np.ufunc):
        return UFUNCS.get(value, value)
    if isinstance(value, types.ModuleType):
        return _Module(value) if value.__name__.split(".")[0] == "numpy" else value
    if isinstance(value, types.FunctionType):
        if (value.__module__ or "").startswith("numpy") and not _is_wrapped(value):
            return _caller(value) if value in FUNCTIONS else rebound(value)
        return value
    if callable(value) and not isinstance(value, type) and _hashable(value) and value in FUNCTIONS:
        return _caller(value)
    return value


def _is_wrapped(function: types.FunctionType) -> bool:
    # A decorated function's code is the decorator's; its globals and cells say nothing of NumPy's names.
    return function.__closure__ is not None


def _hashable(value: Any) -> bool:
    return type(value).__hash__ is not None


def _caller(function: Any) -> Callable[..., Any]:
    """A function that calls what lazyarr has for `function`."""
    found = _callers.get(id(function))
    if found is None:
        found = _callers[id(function)] = dispatched(function)
    return found


class _Module:
    """A module of NumPy seen by a rebound function."""

    def __init__(self, module: types.ModuleType):
        self._module = module
        self._found: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = substitute(getattr(self._module, name))
        return found


#: NumPy's functions for lazy arrays, for what is implemented in terms of others.
lazy: Any = _Module(np)


def through(*functions: Any) -> None:
    """Register public functions to run NumPy's own Python definition over lazy arrays."""
    for function in functions:
        implements(function)(_late(function))


def _late(function: Any) -> Callable[..., Any]:
    # Bound at the first call: by then everything it may call is registered.
    def call(*args: Any, **kwargs: Any) -> Any:
        return rebound(function)(*args, **kwargs)

    return call


def through_names(module: Any, names: str) -> None:
    """`through` for the public functions called `names` (separated by blanks) that this NumPy has."""
    through(*(getattr(module, name) for name in names.split() if hasattr(module, name)))


__all__ = ["SUBSTITUTES", "NotCompiled", "lazy", "rebound", "substitute", "through", "through_names"]
