"""Methods and attributes of ``ndarray`` by the class: ``np.ndarray.sum(x)``, ``map(np.ndarray.flatten, rows)``."""

from __future__ import annotations

import types
from typing import Any

import numpy as np

from lazyarr.array import LazyArray, rebuild

#: What a class has of Python's, whatever it is a class of.
_PYTHONS = frozenset((
    "__class__", "__class_getitem__", "__doc__", "__getattribute__", "__getstate__", "__hash__", "__init__",
    "__init_subclass__", "__new__", "__subclasshook__",
))  # fmt: skip


def unpickled(data: Any, scalar: bool) -> LazyArray:
    """A lazy array out of a pickle; where that is all that a program has of lazyarr, this gives it its methods."""
    return rebuild(data, scalar)


class _Member:
    """Something that arrays have, lazy ones and NumPy's."""

    def __init__(self, name: str):
        self.name = name
        self.of_numpy = getattr(np.ndarray, name)
        self.__name__ = name
        self.__qualname__ = f"ndarray.{name}"
        self.__doc__ = self.of_numpy.__doc__

    def __eq__(self, other: Any) -> Any:
        """Whether this is what a class has of `ndarray`: NumPy's or the lazy one (``type(x).__array_ufunc__``)."""
        if isinstance(other, _Member):
            return self.name == other.name
        return other is self.of_numpy or other is getattr(LazyArray, self.name, None)

    def __hash__(self) -> int:
        return hash(self.of_numpy)

    def __repr__(self) -> str:
        return repr(self.of_numpy)

    def __reduce__(self) -> tuple[Any, ...]:
        from lazyarr.numpy._types import ndarray

        return getattr, (ndarray, self.name)


class _Method(_Member):
    """A method."""

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], LazyArray) and hasattr(LazyArray, self.name):
            return getattr(args[0], self.name)(*args[1:], **kwargs)
        given = [np.asarray(x) if isinstance(x, LazyArray) else x for x in args[:1]]
        return self.of_numpy(*given, *args[1:], **kwargs)


class _Attribute(_Member):
    """An attribute."""

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        return getattr(instance, self.name) if isinstance(instance, LazyArray) else self.of_numpy.__get__(instance)

    def __set__(self, instance: Any, value: Any) -> None:
        if isinstance(instance, LazyArray):
            setattr(instance, self.name, value)
        else:
            self.of_numpy.__set__(instance, value)


def members() -> dict[str, Any]:
    """What stands in the class for all that NumPy's has, but for what is Python's."""
    names = [name for name in dir(np.ndarray) if name not in _PYTHONS]
    return {name: _Method(name) if callable(getattr(np.ndarray, name)) else _Attribute(name) for name in names}
