"""Questions about arrays that need no data, and texts that need all of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.convert import as_lazy
from lazyarr.dispatch import NotCompiled, implements
from lazyarr.numpy._positions import known
from lazyarr.weak import WeakScalar


@implements(np.isscalar)
def isscalar(element: Any) -> bool:
    """As `numpy.isscalar`."""
    if isinstance(element, LazyArray):
        return element._scalar
    return isinstance(element, WeakScalar) or np.isscalar(element)


@implements(np.iterable)
def iterable(y: Any) -> bool:
    """As `numpy.iterable`."""
    return bool(y.shape) if isinstance(y, LazyArray) else np.iterable(y)


@implements(np.isfortran)
def isfortran(a: Any) -> bool:
    """As `numpy.isfortran`."""
    return bool(a.flags.fnc)


@implements(np.min_scalar_type)
def min_scalar_type(a: Any, /) -> np.dtype[Any]:
    """As `numpy.min_scalar_type`: the data of a single number is looked at."""
    x = as_lazy(a)
    return x.dtype if x.ndim else np.min_scalar_type(known(a))


def _text(function: Any) -> None:
    @implements(function)
    def call(a: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(a, LazyArray):
            raise NotCompiled("it looks at the data")
        data = a._elements(f"numpy.{function.__name__}", only_looks=True)
        return function(data[()] if a._scalar else data, *args, **kwargs)


for _function in (np.array2string, np.array_repr, np.array_str, np.format_float_positional, np.format_float_scientific):
    _text(_function)
