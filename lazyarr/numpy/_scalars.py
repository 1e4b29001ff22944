"""NumPy's scalar types in the drop-in namespace: ``np.float32(x)`` of a lazy ``x`` stays lazy.

Each stands for a class of NumPy and is a subclass of it (of what can have subclasses), so that NumPy takes it wherever
it takes the class: as a dtype, in `numpy.issubdtype`, `numpy.finfo`, as a type annotation. It equals the class, hashes,
prints and pickles as it, and never has instances: calling it makes a scalar of NumPy's class, or a lazy one.
"""

from __future__ import annotations

import copyreg
from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.convert import as_lazy, cast
from lazyarr.dispatch import holds_lazy
from lazyarr.fallback import run_in_numpy
from lazyarr.ir.types import NAMES
from lazyarr.ops.elementwise import COMPLEX
from lazyarr.runtime import record

#: Arguments that are not lazy.
PLAIN = frozenset((int, float, complex, bool, str))


class ScalarType(type):
    """The class of the classes that stand for NumPy's scalar types.

    Attributes
    ----------
    numpy : type
        The class of NumPy.
    """

    numpy: Any

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if (len(args) == 1 and type(args[0]) in PLAIN) or not holds_lazy(args):
            return cls.numpy(*args, **kwargs)
        if not kwargs and cls.numpy in _DTYPES:
            dtype = _DTYPES[cls.numpy]
            if len(args) == 1:
                return _converted(args[0], dtype)
            if len(args) == 2 and dtype.kind == "c":
                part = np.dtype(f"f{dtype.itemsize // 2}")
                real, imag = (_converted(arg, part) for arg in args)
                if real.shape == imag.shape == ():
                    return LazyArray._new(record(COMPLEX, real._value(), imag._value()), scalar=True)
        return run_in_numpy(cls.numpy, args, kwargs, f"numpy.{cls.__name__} of these arguments is not compiled")

    def __instancecheck__(cls, instance: Any) -> bool:
        if isinstance(instance, LazyArray):
            return instance._scalar and issubclass(instance.dtype.type, cls.numpy)
        return isinstance(instance, cls.numpy)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass.numpy if isinstance(subclass, ScalarType) else subclass, cls.numpy)

    def __eq__(cls, other: object) -> Any:
        return True if other is cls or other is cls.numpy else NotImplemented

    def __hash__(cls) -> int:
        return hash(cls.numpy)

    def __repr__(cls) -> str:
        return repr(cls.numpy)


def _converted(x: Any, dtype: np.dtype[Any]) -> LazyArray:
    """An argument as NumPy's scalar type converts it: a scalar where it has no axis."""
    given = as_lazy(x)
    value = cast(given._value(), dtype)
    if not given.shape:
        return LazyArray._new(value, scalar=True)
    return LazyArray._new(value, given._copy_strides("K", dtype.itemsize))


_DTYPES: dict[Any, np.dtype[Any]] = {dtype.type: dtype for dtype in NAMES}
_ABSTRACT = (np.generic, np.number, np.integer, np.signedinteger, np.unsignedinteger, np.inexact, np.floating,
             np.complexfloating)  # fmt: skip


def _stand_in(scalar: Any) -> ScalarType:
    """The class that stands for `scalar`."""
    members: dict[str, Any] = {"numpy": scalar, "__slots__": (), "__doc__": scalar.__doc__, "__module__": "numpy"}
    if scalar in _DTYPES:
        members["dtype"] = _DTYPES[scalar]
    # numpy.bool has no subclasses; NumPy finds its dtype by the attribute.
    bases = () if scalar is np.bool_ else (scalar,)
    return ScalarType(scalar.__name__, bases, members)


def _real(name: str) -> Any:
    """NumPy's class, for unpickling."""
    return getattr(np, name)


copyreg.pickle(ScalarType, lambda cls: (_real, (cls.numpy.__name__,)))

#: NumPy's scalar type -> the class that stands for it.
SCALAR_TYPES: dict[Any, ScalarType] = {scalar: _stand_in(scalar) for scalar in (*_ABSTRACT, *_DTYPES)}
