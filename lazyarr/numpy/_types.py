"""``ndarray`` in the drop-in namespace: what ``isinstance`` asks for."""

from __future__ import annotations

import math
from functools import partial
from types import GenericAlias
from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.dispatch import holds_lazy
from lazyarr.fallback import run_in_numpy
from lazyarr.ir.types import NAMES
from lazyarr.numpy._buffers import in_memory
from lazyarr.numpy._members import members
from lazyarr.others import numpys


class _ArrayMeta(type):
    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any) -> Any:
        """A class that is derived from `ndarray` is one of NumPy's arrays, which NumPy computes with."""
        if any(isinstance(base, _ArrayMeta) for base in bases):
            has = (namespace, *map(_names, bases))
            taking = (_TakesUfuncs, _TakesFunctions)
            own: list[type] = [kind for kind in taking if any(kind.protocol in names for names in has)]
            own = own or [_Derived]
            theirs = [kind for base in bases for kind in (own if isinstance(base, _ArrayMeta) else [base])]
            return type(name, tuple(theirs), namespace, **kwargs)
        return super().__new__(cls, name, bases, namespace, **kwargs)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, np.ndarray) or (isinstance(instance, LazyArray) and not instance._scalar)

    def __eq__(cls, other: Any) -> bool:
        """Whether `other` is the class of lazy arrays, or of NumPy's: programs ask ``type(x) == np.ndarray``."""
        return other is cls or other is LazyArray or other is np.ndarray

    def __hash__(cls) -> int:
        return hash(LazyArray)  # (for tables by ``type(x)``)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return subclass is cls or issubclass(subclass, (LazyArray, np.ndarray))


def _names(kind: Any) -> Any:
    """What a base class beside `ndarray` has."""
    return () if isinstance(kind, _ArrayMeta) else dir(kind)


class _Derived(np.ndarray):
    """NumPy's arrays of a class that is derived from `ndarray`."""

    def view(self, *args: Any, **kwargs: Any) -> Any:
        """As `numpy.ndarray.view`, which `ndarray` means NumPy's arrays to."""
        if kwargs.get("type") is ndarray:
            kwargs["type"] = np.ndarray
        return super().view(*(np.ndarray if x is ndarray else x for x in args), **kwargs)


class _TakesUfuncs(_Derived):
    """Those of a class with its own ``__array_ufunc__``."""

    protocol = "__array_ufunc__"

    def __array_ufunc__(self, ufunc: Any, method: Any, *args: Any, **kwargs: Any) -> Any:
        """As `numpy.ndarray.__array_ufunc__`, of lazy arrays too."""
        own = partial(super().__array_ufunc__, numpys(ufunc), method)
        if not holds_lazy(args) and not holds_lazy(kwargs):
            return own(*args, **kwargs)
        return run_in_numpy(own, args, kwargs, f"numpy.{ufunc.__name__}: a {type(self).__name__}")


class _TakesFunctions(_Derived):
    """Those of a class with its own ``__array_function__``."""

    protocol = "__array_function__"

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """As `numpy.ndarray.__array_function__`, of lazy arrays too."""
        kinds = tuple(np.ndarray if issubclass(kind, LazyArray) else numpys(kind) for kind in types)
        own = partial(super().__array_function__, numpys(func), kinds)
        if not holds_lazy(args) and not holds_lazy(kwargs):
            return own(args, kwargs)
        return run_in_numpy(own, (args, kwargs), {}, f"numpy.{func.__name__}: a {type(self).__name__}")


class ndarray(metaclass=_ArrayMeta):
    """Lazy arrays and NumPy's arrays; calling it makes an array as `numpy.ndarray` does."""

    def __new__(cls, shape: Any, dtype: Any = float, buffer: Any = None, offset: int = 0, strides: Any = None,
                order: Any = None) -> Any:  # fmt: skip
        from lazyarr.array import rebuild

        if issubclass(cls, np.ndarray):
            given = buffer._copied_data("memory of an array") if isinstance(buffer, LazyArray) else buffer
            return np.ndarray.__new__(cls, shape, dtype, given, offset, strides, order)
        if np.dtype(dtype) not in NAMES:
            given = np.asarray(buffer) if isinstance(buffer, LazyArray) else buffer
            return np.ndarray(shape, dtype, given, offset, strides, order)
        if isinstance(buffer, LazyArray) and buffer.dtype == np.dtype(dtype) and not offset and strides is None:
            if buffer.flags.c_contiguous and order in (None, "C"):
                wanted = (shape,) if hasattr(shape, "__index__") else tuple(shape)
                return buffer.reshape(-1)[: math.prod(wanted)].reshape(wanted)
        if buffer is None:
            return rebuild(np.zeros(shape, dtype, order or "C"))
        if isinstance(buffer, LazyArray):
            given = buffer._elements("memory of an array")
            copied = rebuild(np.ndarray(shape, dtype, given, offset, strides, order).copy(order="K"))
            copied._writeable = False  # A write would not reach the other array, as it should.
            return copied
        return in_memory(np.ndarray(shape, dtype, buffer, offset, strides, order), buffer)

    def __class_getitem__(cls, item: Any) -> GenericAlias:
        """The class with its parameters, as types are written (``ndarray[tuple[int], dtype[float64]]``)."""
        np.ndarray[item]  # (NumPy counts them)
        return GenericAlias(cls, item)


for _name, _member in members().items():
    setattr(ndarray, _name, _member)
ndarray.__hash__ = None  # type: ignore[method-assign, assignment]
