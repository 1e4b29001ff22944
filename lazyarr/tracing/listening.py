"""Whether somebody is told of floating-point errors: compiled code gives none, and goes on with inf and nan.

NumPy raises where it is told to (``np.errstate(divide="raise")``, ``np.seterr``), and Python where warnings are errors.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

WHY = "NumPy is told to raise where floating-point arithmetic goes wrong"
_SETTING, _SETTINGS = {"errstate", "seterr"}, {"raise", "call", "log", "print"}
_FILTERING = {"simplefilter", "filterwarnings"}

try:
    from numpy._core.umath import _extobj_contextvar

    _current: Callable[[], Any] = _extobj_contextvar.get
except ImportError:  # NumPy keeps its settings elsewhere: they are compared themselves
    _current = lambda: tuple(np.geterr().values())  # noqa: E731

#: The latest settings, and whether NumPy is told to do something with them. (Each change of theirs makes a new object.)
_latest: tuple[Any, bool] = (None, False)


def is_listening() -> bool:
    """Whether NumPy is told, in this context, to do more than to warn."""
    global _latest
    settings, listens = _latest
    if (now := _current()) is not settings:
        listens = not _SETTINGS.isdisjoint(np.geterr().values())
        _latest = now, listens
    return listens


def listens(code: types.CodeType) -> bool:
    """Whether a function has NumPy raise errors, or Python keep warnings or raise them, as far as its names say."""
    names = names_in(code)
    if names.isdisjoint(_SETTING | _FILTERING | {"catch_warnings"}):
        return False
    found = texts_in(code.co_consts)
    if _SETTING & names and _SETTINGS & found or _FILTERING & names and "error" in found:
        return True
    return "catch_warnings" in names and "record" in found


def names_in(code: types.CodeType) -> set[str]:
    """Names of globals and attributes in code, in functions within it too."""
    found = set(code.co_names)
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            found |= names_in(part)
    return found


def texts_in(constants: Iterable[Any]) -> set[str]:
    """The texts among constants of code, those in tuples and in functions within it too."""
    found: set[str] = set()
    for value in constants:
        if isinstance(value, str):
            found.add(value)
        elif isinstance(value, tuple):
            found |= texts_in(value)
        elif isinstance(value, types.CodeType):
            found |= texts_in(value.co_consts)
    return found
