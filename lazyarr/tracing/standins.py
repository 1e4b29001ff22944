"""What stands for classes and functions of NumPy and Python in a traced program."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from lazyarr import soft
from lazyarr.array import LazyArray
from lazyarr.computed import ComputedScalar
from lazyarr.growing import Growing
from lazyarr.operators import among_others
from lazyarr.tracing.packages import takes_pythons_numbers
from lazyarr.tracing.scalars import TracedScalar
from lazyarr.weak import WeakScalar

if TYPE_CHECKING:
    from lazyarr.tracing.trace import Trace

#: Scalars of dtypes that are not compiled.
_UNCOMPILED = (np.datetime64, np.timedelta64, np.flexible, np.longdouble, np.clongdouble)


def class_of(*args: Any) -> Any:
    """``type(x)``, of what the user takes `x` to be; with more arguments, a new class."""
    if len(args) != 1:
        return type(*args)
    x = args[0]
    if isinstance(x, LazyArray):
        return class_for(x.dtype.type if x._scalar else np.ndarray)
    if isinstance(x, Growing):
        return list
    return x.python_type if type(x) in (TracedScalar, ComputedScalar) else type(x)


def is_instance(x: Any, classes: Any) -> bool:
    """``isinstance(x, classes)``: NumPy's float64 is a `float`, and its complex128 a `complex`."""
    if isinstance(x, (np.random.Generator, np.random.RandomState)):
        asked_of = classes if isinstance(classes, tuple) else (classes,)
        return isinstance(x, tuple(_without_ours(kind) for kind in asked_of))
    own = among_others.set(False)
    try:
        found = isinstance(x, classes)
    finally:
        among_others.reset(own)
    if found or not isinstance(x, LazyArray) or not x._scalar:
        return found
    asked = [kind for kind in (float, complex) if kind is classes or isinstance(classes, tuple) and kind in classes]
    soft.settle(x)
    return issubclass(x.dtype.type, tuple(asked))


def _without_ours(kind: Any) -> Any:
    """NumPy's class of streams for lazyarr's."""
    ours = isinstance(kind, type) and kind.__module__ == "lazyarr.numpy.random"
    return getattr(np.random, kind.__name__) if ours else kind


def class_for(value: type) -> Any:
    """What stands for a class: lazyarr's `ndarray` and scalar types for NumPy's."""
    from lazyarr.numpy._scalars import SCALAR_TYPES
    from lazyarr.numpy._types import ndarray

    if value in (np.random.Generator, np.random.RandomState):
        return getattr(numpy_module("numpy.random"), value.__name__)
    return ndarray if value is np.ndarray else SCALAR_TYPES.get(value, value)


def numpy_module(name: str) -> Any:
    """What stands for a module of NumPy's, by its name; None where NumPy's own does."""
    import lazyarr.numpy as lazy

    return {"numpy": lazy, "numpy.linalg": lazy.linalg, "numpy.fft": lazy.fft, "numpy.random": lazy.random}.get(name)


@cache
def numpys() -> dict[int, Any]:
    """What of NumPy's lazyarr's own stands for, by the identity of that."""
    found: dict[int, Any] = {}
    for module in (np, np.linalg, np.fft, np.random):
        lazy = numpy_module(module.__name__)
        found[id(lazy)] = module
        for name in dir(module):
            own = None if name.startswith("_") else getattr(lazy, name, None)
            if callable(own) and own is not getattr(module, name):
                found.setdefault(id(own), getattr(module, name))
    return found


def takes_pythons_own(function: Any) -> bool:
    """Whether a function or class looks into the numbers that it is given, and keeps none of their containers."""
    if isinstance(function, type) and issubclass(function, np.generic):
        return issubclass(function, _UNCOMPILED)
    if isinstance(getattr(function, "__self__", None), (str, bytes, bytearray)):
        return True  # a method of a text
    return takes_pythons_numbers(getattr(function, "__module__", None))


def pythons(x: Any) -> Any:
    """Nested arguments with numbers of the caller's as Python's own: the program is compiled for them."""
    if isinstance(x, WeakScalar):
        return x.python_type(x)
    if type(x) in (list, Growing):
        return [pythons(item) for item in x]
    if type(x) is tuple:
        return tuple(pythons(item) for item in x)
    if type(x) is dict:
        return {pythons(key): pythons(item) for key, item in x.items()}
    return x


def noting(trace: Trace, function: Callable[..., Any], why: str) -> Callable[..., Any]:
    """`function`, whose use keeps the traced function from being compiled as a whole."""

    def call(*args: Any, **kwargs: Any) -> Any:
        trace.observed(why)
        with trace.classes.as_they_are() if pickles else contextlib.nullcontext():
            if takes_pythons_own(function):
                args, kwargs = pythons(args), pythons(kwargs)
            return function(*args, **kwargs)

    call.__name__ = str(getattr(function, "__name__", "call"))
    pickles = getattr(function, "__module__", None) in ("pickle", "_pickle", "copyreg", "shelve")
    return call


def on_attribute(trace: Trace, function: Callable[..., Any], name: str, x: Any, *args: Any) -> Any:
    """``setattr`` and ``delattr``: of objects that stand for the caller's, or were made, as a statement does it."""
    if not trace.classes.stands(x):
        trace.observed(f"calls {name}()")
    return function(x, *args)
