"""The extension in C (`setup.py`, lazyarr/little/c), where it could be built."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import update_wrapper
from typing import Any

compiled: Any
try:
    compiled = importlib.import_module("lazyarr.little._fast_path")
except ImportError:  # no compiler was there at installation
    compiled = None

#: The classes of functions that begin there.
FUNCTIONS: tuple[type, ...] = () if compiled is None else (compiled.Callable,)


def begun(
    kind: str, general: Callable[..., Any], target: Any, look: Any = None, most: int = 8
) -> Callable[..., Any]:
    """A function or method that begins in the extension, and goes on with `general` where that gives up.

    Parameters
    ----------
    kind : str
        What is done there (lazyarr/little/c/calls.c).
    general : callable
        What is called else.
    target : callable or str
        What is called with little data; the order of copies.
    look : callable, optional
        Of views: see `lazyarr.little.data.Lent`.
    most : int
        Arguments of views beside the array, where `target` takes more than `general`; of draws 0, if arrays are none.

    Returns
    -------
    callable
        `general` itself without the extension, or where that does not take the function `target`.
    """
    if compiled is None:
        return general
    # (A class that has one of NumPy's functions in C has no method.)
    binds = hasattr(type(getattr(general, "__wrapped__", general)), "__get__")
    try:
        found = compiled.Callable(getattr(compiled, kind), general, target, look, binds, most)
    except LookupError:
        return general
    update_wrapper(found, general)
    vars(found).update(vars(general))  # (what that itself stands for)
    return found  # type: ignore[no-any-return]
