"""`numpy.apply_along_axis` of data that is there: NumPy's own loop, in which the function gets lazy rows.

(In a definition of lazyarr's own elements would be lazy scalars, and each result a pending write.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.little.data import held, limits, tracing
from lazyarr.little.functions import results
from lazyarr.world import active as ranks


def along_axis(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A call of `numpy.apply_along_axis`; None for other functions, and where its array is not there."""
    if function is not np.apply_along_axis or not limits.elements or ranks or tracing() is not None:
        return None
    return _along_axis(*args, **kwargs) if len(args) > 2 and type(args[2]) is LazyArray else None


def _along_axis(given: Callable[..., Any], axis: Any, array: LazyArray, *args: Any, **kwargs: Any) -> Any:
    data = held(array)
    if type(data) is not np.ndarray or not 0 < data.size or type(axis) is not int or not -data.ndim <= axis < data.ndim:
        return None
    lazy_array: Any = array
    last = np.moveaxis(lazy_array, axis, -1)
    places = np.ndindex(*last.shape[:-1])
    found = np.apply_along_axis(lambda _: _by_numpy(given(last[next(places)], *args, **kwargs)), axis, data)
    lazy = results(found, (data,))
    return found if lazy is None else lazy


def _by_numpy(result: Any) -> Any:
    """A result as NumPy takes it."""
    return np.asarray(result) if type(result) is LazyArray else result
