"""Arrays in memory of others: what has been read of a file, what processes share.

Memory that can be written to, by whoever has it, stays where it is: the array is NumPy's own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lazyarr.array import LazyArray, rebuild
from lazyarr.dispatch import NotCompiled, implements
from lazyarr.ir.types import NAMES
from lazyarr.runtime import recording


def in_memory(found: np.ndarray[Any, Any], buffer: Any) -> Any:
    """An array that NumPy has made in a buffer: a lazy one of elements of its own where nobody can change these."""
    if type(buffer) is bytes and found.dtype in NAMES:
        array = rebuild(found.copy(), constant=True)
        array._writeable = False
        return array
    observer = recording().observer
    if observer is not None:
        observer.observed("an array in memory that others may write to")
    return found


@implements(np.frombuffer)
def frombuffer(buffer: Any, dtype: Any = float, count: Any = -1, offset: Any = 0, *, like: Any = None) -> Any:
    """As `numpy.frombuffer`; of bytes the array is lazy."""
    if isinstance(buffer, LazyArray) or like is not None:
        raise NotCompiled("it is not compiled")
    return in_memory(np.frombuffer(buffer, dtype, count, offset), buffer)
