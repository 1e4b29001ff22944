"""Dispatch: which lazy implementation a NumPy function has.

`lazyarr.numpy` fills the tables when it is imported; the array's protocols and methods read them. What has no entry, or
says `NotCompiled` for the arguments it got, runs in NumPy (`lazyarr.fallback`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache, wraps
from threading import get_ident
from typing import Any, TypeVar

import numpy as np

from lazyarr.ir.types import UncompiledDtype
from lazyarr.scipy import counterpart as of_scipy

Function = TypeVar("Function", bound=Callable[..., Any])


class NotCompiled(Exception):
    """An implementation does not take these arguments; NumPy runs the call. Raised before anything is changed."""


#: NumPy function -> its lazy implementation.
FUNCTIONS: dict[Any, Callable[..., Any]] = {}
#: NumPy ufunc -> its lazy counterpart.
UFUNCS: dict[np.ufunc, Any] = {}
#: NumPy functions of which what is recorded depends on nothing but the types of arrays and the values of other
#: arguments, and which do nothing else; those of them in which floats are operands, as they are.
BY_TYPES: set[Any] = set()
FLOATS: set[Any] = set()
_begin: list[Callable[[Any, Any, Any], Any]] = []
_first: list[Callable[[Any, Any, Any], Any]] = []
_last: list[Callable[[Any], Any]] = []
_recall: list[Callable[[Any, Any, Any], Any]] = []
_told = 0
#: The threads in which definitions of lazyarr's own are at work, each as often as there are some: to these a lazy
#: scalar is what is one of NumPy's to their callers.
running: list[int] = []


def _forked() -> None:
    """Other threads do not live on in a forked child."""
    running[:] = [thread for thread in running if thread == get_ident()]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def implements(
    *functions: Any, by_types: bool = False, takes_floats: bool = False
) -> Callable[[Function], Function]:
    """Decorator: the lazy implementation of NumPy functions.

    Parameters
    ----------
    *functions : callable
    by_types, takes_floats : bool
        Whether they belong to `BY_TYPES`, and to `FLOATS`.
    """

    def register(implementation: Function) -> Function:
        for function in functions:
            if function in FUNCTIONS:
                raise ValueError(f"{function.__name__} is implemented twice")
            FUNCTIONS[function] = implementation
        if by_types:
            BY_TYPES.update(functions)
        if takes_floats:
            FLOATS.update(functions)
        return implementation

    return register


def ufunc_call(ufunc: np.ufunc, method: str, inputs: Any, kwargs: Any) -> Any:
    """Call a NumPy ufunc, or one of its methods, on arguments of which some are lazy."""
    lazy = UFUNCS.get(ufunc) or of_scipy(ufunc)
    if lazy is None:
        from lazyarr.fallback import run_in_numpy

        function = ufunc if method == "__call__" else getattr(ufunc, method)
        return run_in_numpy(function, inputs, kwargs, f"{ufunc.__name__} is not compiled")
    return (lazy if method == "__call__" else getattr(lazy, method))(*inputs, **kwargs)


def take_little(first: Callable[[Any, Any, Any], Any], last: Callable[[Any], Any] | None = None) -> None:
    """Ask this first at each call of a function: it gives None where it is not a call of little data that is there.

    (Where NumPy's function gives nothing, `Ellipsis` says that it is done.) `last` makes of the result of a definition
    what its caller gets.
    """
    _first.append(first)
    if last is not None:
        _last.append(last)


def begin_little(begin: Callable[[Any, Any, Any], Any]) -> None:
    """Ask this before all others, as `take_little` says: the extension."""
    _begin.append(begin)


def remember(call: Callable[[Any, Any, Any], Any]) -> None:
    """Ask this at calls of `BY_TYPES`: it gives None, or what may know what such a call records (`recipes.Call`)."""
    _recall.append(call)


def tell(warn: Callable[..., None], *args: Any) -> None:
    """Warn from a definition: calls like this one do so too, and have to come here again."""
    global _told
    _told += 1
    warn(*args)


def told() -> int:
    """How often definitions have warned."""
    return _told


def run_definition(definition: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Call a definition of lazyarr's own."""
    thread = get_ident()
    running.append(thread)
    try:
        found = definition(*args, **kwargs)
    finally:
        running.remove(thread)
    if thread not in running:
        for last in _last:
            found = last(found)
    return found


def function_call(function: Any, args: Any, kwargs: Any) -> Any:
    """Call a NumPy function on arguments of which some may be lazy; arrays come back lazy."""
    for begin in _begin:
        found = begin(function, args, kwargs)
        if found is not None:
            return found
    return begun_call(function, args, kwargs)


def begun_call(function: Any, args: Any, kwargs: Any) -> Any:
    """As `function_call`, of a call that has begun in the extension, and is not done there."""
    for first in _first:
        found = first(function, args, kwargs)
        if found is not None:
            return None if found is ... else found
    from lazyarr.fallback import run_in_numpy, run_on_constants
    from lazyarr.others import NOBODY, by_function

    found = by_function(function, args, kwargs)
    if found is not NOBODY:
        return found
    implementation = FUNCTIONS.get(function)
    why = "it is not compiled"
    if implementation is not None:
        call = _recall[0](function, args, kwargs) if function in BY_TYPES else None
        if call is not None and (found := call.again()) is not None:
            return found
        try:
            found = run_definition(implementation, args, kwargs)
            if call is not None:
                call.note(found)
            return found
        except (NotCompiled, UncompiledDtype) as reason:
            why = str(reason)
    args, kwargs = fixed_ints(args), fixed_ints(kwargs)
    if not holds_lazy(args) and not holds_lazy(kwargs):
        return run_on_constants(function, args, kwargs)
    module = (getattr(function, "__module__", None) or "numpy").replace("numpy._core.", "numpy.")
    return run_in_numpy(function, args, kwargs, f"{module}.{getattr(function, '__name__', function)}: {why}")


def dispatched(function: Any, call_of: Callable[[Any, Any, Any], Any] = function_call) -> Callable[..., Any]:
    """`function` of NumPy, run lazily where lazyarr has an implementation; `call_of` is how it is called."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return call_of(function, args, kwargs)

    return call


#: What holds nothing lazy.
_PLAIN = frozenset((int, float, bool, complex, str, type(None)))


@cache
def _lazy_types() -> tuple[type, type]:
    from lazyarr.array import LazyArray
    from lazyarr.weak import WeakScalar

    return LazyArray, WeakScalar


def fixed_ints(x: Any) -> Any:
    """Nested arguments with traced Python ints as ints: lengths and axes, which a program is compiled for."""
    if type(x) in (list, tuple):
        return x if _PLAIN.issuperset(map(type, x)) else type(x)(fixed_ints(item) for item in x)
    if type(x) is dict:
        return {key: fixed_ints(item) for key, item in x.items()}
    return x.__index__() if isinstance(x, _lazy_types()[1]) and x.python_type is int else x  # type: ignore[attr-defined]


def holds_lazy(x: Any) -> bool:
    """Whether a lazy array or a traced scalar stands anywhere in nested arguments."""
    if isinstance(x, (list, tuple)):
        if _PLAIN.issuperset(map(type, x)):
            return False
        return any(holds_lazy(item) for item in x)
    if isinstance(x, dict):
        return any(holds_lazy(item) for item in x.values())
    return isinstance(x, _lazy_types())
