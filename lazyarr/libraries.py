"""Code of packages that are installed, and know nothing of lazyarr: NumPy's functions give it NumPy's arrays.

SciPy, pandas or scikit-learn hand what NumPy's functions give them to compiled code, which takes NumPy's arrays alone,
or write to it. A program of the user's that calls `numpy` with lazy arrays gets lazy ones.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np

from lazyarr import dispatch, world
from lazyarr.fallback import numpys_results
from lazyarr.little.extension import compiled
from lazyarr.runtime import traced

#: Module -> whether it is of such a package. (The extension reads it.)
known: dict[Any, bool] = {}
_FOLDERS = frozenset({"site-packages", "dist-packages"})


def _is_of_library(module: Any, names: dict[str, Any]) -> bool:
    package = str(module or "").partition(".")[0]
    if package in ("numpy", "lazyarr", "__main__"):
        return False
    file = names.get("__file__")
    return isinstance(file, str) and not _FOLDERS.isdisjoint(file.split(os.sep))


def _calls(depth: int) -> bool:
    """Whether the call that is running is one of such a package's, and its results may be NumPy's.

    (Not in a function that is traced as a whole, whose arrays have no elements, nor on ranks, which hold parts.)
    """
    names = sys._getframe(depth).f_globals
    module = names.get("__name__")
    found = known.get(module)
    if found is None:
        found = known[module] = _is_of_library(module, names)
    if not found or world.active:
        return False
    recording = traced.get()
    # (Of one that is in pieces already, what a package has called back gives arrays to it.)
    return recording is None or bool(getattr(recording.observer, "reasons", None))


def ufunc_call(ufunc: np.ufunc, method: str, inputs: Any, kwargs: Any) -> Any:
    """What a ufunc of NumPy's gives, or one of its methods, that met a lazy array: called by ``__array_ufunc__``."""
    if _calls(3):
        return numpys_results(ufunc if method == "__call__" else getattr(ufunc, method), inputs, kwargs)
    return dispatch.ufunc_call(ufunc, method, inputs, kwargs)


def function_call(function: Any, args: Any, kwargs: Any) -> Any:
    """What a function of NumPy's gives that met a lazy array: called by ``__array_function__``."""
    if _calls(3):
        return numpys_results(function, args, kwargs)
    return dispatch.function_call(function, args, kwargs)


class _Interface(dict[str, Any]):
    """``__array_interface__``, which keeps the memory that it says the place of."""

    def __init__(self, elements: np.ndarray[Any, Any], is_packed: bool):
        super().__init__(elements.__array_interface__)
        self.elements = elements
        if not is_packed:
            # (Once more of it is evaluated, elements may stand elsewhere: who reads memory next is not to count on it.)
            self["strides"] = elements.strides


def _names_it(name: str) -> bool:
    """Whether the function that asks for an attribute is written in Python, and a package's that is not NumPy."""
    frame = sys._getframe(3)  # (of `interface`, which `__getattr__` calls)
    code, names = frame.f_code, frame.f_globals
    return (name in code.co_names or name in code.co_consts) and _is_of_library(names.get("__name__"), names)


def interface(array: Any, name: str) -> _Interface:
    """``array.__array_interface__``, memory to read, for code that looks for it itself (images, ``byte_bounds``).

    Only where lazy arrays have buffers (`to_buffer` of the extension): NumPy asks for these before, and they keep
    memory alive. On ranks they give NumPy none: there only functions get this that ask for it by its name.
    """
    if name != "__array_interface__" or compiled is None or traced.get() is not None:
        raise AttributeError(name)
    if world.active and not _names_it(name):
        raise AttributeError(name)
    return _Interface(array.__array__(), array.flags.c_contiguous)


__all__ = ["function_call", "interface", "known", "ufunc_call"]
