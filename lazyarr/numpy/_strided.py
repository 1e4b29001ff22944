"""`numpy.lib.stride_tricks.as_strided`: a view of any geometry of the memory that an array has."""

from __future__ import annotations

from operator import index as as_index
from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.computed import ComputedScalar
from lazyarr.convert import as_lazy
from lazyarr.dispatch import NotCompiled, implements
from lazyarr.ir.extents import is_static
from lazyarr.memory_views import strided_view
from lazyarr.runtime import NotCaptured, recording


@implements(np.lib.stride_tricks.as_strided)
def as_strided(
    x: Any, shape: Any = None, strides: Any = None, subok: bool = False, writeable: bool = True
) -> LazyArray:
    """As `numpy.lib.stride_tricks.as_strided`.

    (Where an element is at two places of the view, and the function writes to it, plain Python runs the function.)
    """
    array = as_lazy(x)
    wanted = array.shape if shape is None else _integers(shape)
    steps = array.strides if strides is None else _integers(strides)
    known = is_static(array.shape) and all(type(n) is int for n in (*wanted, *steps)) and len(wanted) == len(steps)
    found = strided_view(array, wanted, steps) if known else None
    if found is None:
        why = "a view of an array's memory by strides, which the program does not know"
        # (The function may write to the view: one that NumPy makes would be of a copy.)
        raise NotCompiled(why) if recording().observer is None else NotCaptured(why)
    found._writeable = found._writeable and writeable
    return found


def _integers(given: Any) -> tuple[Any, ...]:
    """A shape or strides; numbers that are arguments of the program become constants of it."""
    items = given if np.iterable(given) else (given,)
    return tuple(n if isinstance(n, ComputedScalar) else as_index(n) for n in items)
