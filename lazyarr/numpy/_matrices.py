"""NumPy's matrices of lazy arrays: they are NumPy's own, which NumPy computes with."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.dispatch import NotCompiled, implements
from lazyarr.fallback import run_in_numpy
from lazyarr.source import user_frame


@implements(np.asmatrix)
def asmatrix(data: Any, dtype: Any = None) -> Any:
    """As `numpy.asmatrix`; the matrix of a lazy array has elements of its own, as ``x.view(np.matrix)`` has."""
    if not isinstance(data, LazyArray):
        raise NotCompiled("it is not compiled")
    found = run_in_numpy(np.asmatrix, (data, dtype), {}, "numpy.asmatrix: it is not compiled")
    return found if found.flags.writeable else found.copy()


@implements(np.bmat)
def bmat(obj: Any, ldict: Any = None, gdict: Any = None) -> Any:
    """As `numpy.bmat`; names in a string are those of the user's function."""
    if not isinstance(obj, str):
        raise NotCompiled("it is not compiled")
    frame = user_frame()
    if gdict is None and frame is not None:
        ldict, gdict = frame.f_locals, frame.f_globals
    names = [x for x in re.findall(r"\w+", obj) if x in (gdict or {}) or x in (ldict or {})]
    found = {x: ldict[x] if ldict and x in ldict else gdict[x] for x in names}
    return run_in_numpy(np.bmat, (obj, found, found), {}, "numpy.bmat: it is not compiled")
