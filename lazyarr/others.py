"""Objects of other classes that take NumPy's functions themselves: ``__array_ufunc__``, ``__array_function__``.

A class whose code has lazyarr's NumPy for NumPy is given lazyarr's functions and arrays: it asks ``func is np.mean``
and ``isinstance(x, np.ndarray)``. One that has NumPy itself is called by NumPy, with NumPy's arrays (NEP 13, NEP 18).
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.fallback import run_in_numpy

#: No object of another class takes the call.
NOBODY: Any = object()
#: Classes of arguments that are nobody's own.
_PLAIN = frozenset((
    LazyArray, np.ndarray, np.float64, np.int64, np.bool_, float, int, bool, complex, str, bytes, slice, type,
    type(None), type(...), np.dtype,
))  # fmt: skip
#: What NumPy's functions are that ask their arguments first.
_ASKING = type(np.mean)
_knows: WeakKeyDictionary[type, bool] = WeakKeyDictionary()


def _takes(kind: type, protocol: str) -> bool:
    """Whether objects of a class have a protocol of their own."""
    own = getattr(kind, protocol, None)
    if own is None or own is getattr(np.ndarray, protocol):
        return False
    return not (getattr(own, "__module__", None) or "").startswith("lazyarr.")


def _collect(x: Any, protocol: str, found: list[Any]) -> None:
    """Add what has a protocol of its own, anywhere in nested lists and tuples."""
    kind = type(x)
    if kind is list or kind is tuple:
        if not _PLAIN.issuperset(map(type, x)):
            for item in x:
                _collect(item, protocol, found)
    elif kind not in _PLAIN and _takes(kind, protocol):
        found.append(x)


def _knows_lazyarr(kind: type, protocol: str) -> bool:
    """Whether NumPy is lazyarr's to the code of a class: to a module of the package that defines the protocol."""
    known = _knows.get(kind)
    if known is None:
        scope = getattr(inspect.unwrap(getattr(kind, protocol)), "__globals__", {})
        package = scope.get("__name__", kind.__module__).partition(".")[0]
        others = [vars(module) for name, module in list(sys.modules.items())
                  if hasattr(module, "__dict__") and name.partition(".")[0] == package]  # fmt: skip
        known = _knows[kind] = any(_is_ours(value) for names in (scope, *others) for value in list(names.values()))
    return known


def _is_ours(value: Any) -> bool:
    if isinstance(value, ModuleType):
        return value.__name__.partition(".")[0] == "lazyarr"
    return (getattr(type(value), "__module__", None) or "").startswith("lazyarr.")


def _in_order(objects: Iterable[Any]) -> list[Any]:
    """One object of each class, in the order in which NumPy asks: from the left, subclasses first."""
    found: list[Any] = []
    for x in objects:
        kind = type(x)
        if not any(type(y) is kind for y in found):
            at = next((i for i, y in enumerate(found) if issubclass(kind, type(y))), len(found))
            found.insert(at, x)
    return found


def _shown(kind: type) -> type:
    """A class as programs know it."""
    from lazyarr.numpy._types import ndarray

    return ndarray if kind in (np.ndarray, LazyArray) else kind


class _Stand:
    """Stands for an argument, and notes when NumPy asks it."""

    def __init__(self, of: Any, asked: list[Any]):
        self._of = of
        self._asked = asked

    def __array_function__(self, *_: Any) -> Any:
        self._asked.append(self._of)
        return NotImplemented

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of, name)


def _relevant(function: Callable[..., Any], args: Any, kwargs: Any) -> list[Any]:
    """One of each class of what a function of NumPy asks, from the left; nothing where it asks nobody."""
    asked: list[Any] = []
    kinds: dict[type, type] = {}

    def stand(x: Any) -> Any:
        kind = type(x)
        if kind is list or kind is tuple:
            return kind(map(stand, x))
        if isinstance(x, type) or not hasattr(kind, "__array_function__"):
            return x
        if kind not in kinds:  # (NumPy asks one of each class.)
            kinds[kind] = type(kind.__name__, (_Stand,), {})
        return kinds[kind](x, asked)

    try:
        function(*map(stand, args), **{name: stand(x) for name, x in kwargs.items()})
    except Exception:  # noqa: BLE001  NumPy's, that nobody has taken the call; or nobody was asked, and it ran on stands
        return asked
    return asked


def by_function(function: Any, args: Any, kwargs: Any) -> Any:
    """What an argument of another class gives for a function of NumPy; `NOBODY` where there is none."""
    if type(function) is not _ASKING:
        return NOBODY
    found: list[Any] = []
    for x in args:
        _collect(x, "__array_function__", found)
    for x in kwargs.values():
        _collect(x, "__array_function__", found)
    if not found:
        return NOBODY
    relevant = _relevant(function, args, kwargs)
    found = [x for x in relevant if _takes(type(x), "__array_function__")]
    if not found:
        return NOBODY
    name = f"{function.__module__}.{function.__name__}"
    if not any(_knows_lazyarr(type(x), "__array_function__") for x in found):
        return run_in_numpy(function, args, kwargs, f"{name}: a {type(found[0]).__name__}")
    types = tuple(_shown(type(x)) for x in relevant)
    public = _public(function)
    for x in _in_order(found):
        result = type(x).__array_function__(x, public, types, args, kwargs)
        if result is not NotImplemented:
            return result
    kinds = [np.ndarray if type(x) is LazyArray else type(x) for x in _in_order(relevant)]
    raise TypeError(f"no implementation found for '{name}' on types that implement __array_function__: {kinds}")


def _public(function: Any) -> Any:
    """What programs have for a function of NumPy."""
    from lazyarr.tracing.standins import numpy_module

    module = numpy_module(function.__module__)
    found = getattr(module, function.__name__, None)
    return found if getattr(found, "__wrapped__", None) is function else function


def by_ufunc(
    ufunc: Any, method: str, args: tuple[Any, ...], kwargs: dict[str, Any], unsaid: dict[str, Any] | None = None
) -> Any:
    """What an operand of another class gives for a lazy ufunc; `NOBODY` where there is none.

    `unsaid`: values that arguments have where the caller has not named them.
    """
    out = kwargs.get("out")
    outs = out if isinstance(out, tuple) else () if out is None else (out,)
    if _PLAIN.issuperset(map(type, args)) and _PLAIN.issuperset(map(type, outs)):
        return NOBODY
    found = [x for x in (*args, *outs) if type(x) not in _PLAIN and _takes(type(x), "__array_ufunc__")]
    if not found:
        return NOBODY
    if not any(_knows_lazyarr(type(x), "__array_ufunc__") for x in found):
        if isinstance(found[0], np.ndarray) or method != "__call__":
            return NOBODY  # (NumPy asks them.)
        results = (x.__array_ufunc__(ufunc.numpy, method, *args, **kwargs) for x in found)
        return next((x for x in results if x is not NotImplemented), NOBODY)
    if unsaid:
        kwargs = {name: x for name, x in kwargs.items() if name not in unsaid or x is not unsaid[name]}
    nin = ufunc.nin
    if method == "__call__" and len(args) > nin:
        outs = (*args[nin:], *(None,) * (nin + ufunc.nout - len(args)))
        args = args[:nin]
    if any(x is not None for x in outs):
        kwargs = {**kwargs, "out": outs}
    else:
        kwargs = {name: x for name, x in kwargs.items() if name != "out"}
    for x in _in_order(found):
        result = type(x).__array_ufunc__(x, ufunc, method, *args, **kwargs)
        if result is not NotImplemented:
            return result
    given = [*map(repr, args), *(f"{name}={x!r}" for name, x in kwargs.items())]
    kinds = ", ".join(repr(_shown(type(x)).__name__) for x in (*args, *outs))
    raise TypeError(
        f"operand type(s) all returned NotImplemented from __array_ufunc__({ufunc!r}, {method!r}, "
        f"{', '.join(given)}): {kinds}"
    )


def numpys(x: Any) -> Any:
    """What NumPy has for a lazy ufunc, for lazyarr's form of a function or for `ndarray`."""
    if (own := getattr(x, "numpy", None)) is not None and isinstance(own, np.ufunc):
        return own
    wrapped = getattr(x, "__wrapped__", None)
    if type(wrapped) is _ASKING:
        return wrapped
    return np.ndarray if isinstance(x, type) and x is _shown(np.ndarray) else x


__all__ = ["NOBODY", "by_function", "by_ufunc", "numpys"]
