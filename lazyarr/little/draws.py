"""Random numbers in little arrays, which NumPy draws at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from lazyarr.array import LazyArray, rebuild
from lazyarr.ir.types import NAMES
from lazyarr.little.data import NUMBERS, held, limits, new, tracing
from lazyarr.little.functions import write
from lazyarr.world import active as ranks

_ndarray = np.ndarray
#: Arguments that are no data, and what lists and tuples of them may hold.
_PLAIN = NUMBERS | {str, type(None)}
#: Functions that may be told by position which array to fill.
INTO = frozenset(("random", "standard_normal", "standard_exponential", "standard_gamma"))


def told_by_arrays(function: Any) -> int:
    """As how many arguments of a drawing function the extension may take arrays: one may be there to be filled."""
    return 0 if function.__name__ in INTO else 8


def shuffle(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """As `draw`, of what shuffles a little array in place."""
    done = not ranks and limits.elements and write(function, args, kwargs)
    return None if done else NotImplemented


def draw(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a function of NumPy draws from a stream; NotImplemented where nothing has been drawn.

    Its arguments are numbers, and little data that is there; its result is a number, or a little array.
    """
    if ranks or not limits.elements or tracing() is not None:
        return NotImplemented
    for x in args:
        if type(x) not in _PLAIN and not _is_plain(x):
            return _of_data(function, args, kwargs)
    if kwargs:
        for x in kwargs.values():
            if type(x) not in _PLAIN and not _is_plain(x):
                return _of_data(function, args, kwargs)
    return as_lazy(function(*args, **kwargs))


def _is_plain(x: Any) -> bool:
    kind = type(x)
    if kind is tuple or kind is list:
        return _PLAIN.issuperset(map(type, x))
    # (Of text NumPy's own arrays are made, which hold no lazy ones.)
    return kind is range or kind is _ndarray and x.dtype.kind in "SU" or isinstance(x, (type, np.dtype))


def _of_data(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The same of arguments some of which are arrays."""
    if kwargs.get("out") is not None or function.__name__ in INTO:
        return NotImplemented
    data = [_data(x) for x in args]
    named = {name: _data(x) for name, x in kwargs.items()}
    if any(x is NotImplemented for x in (*data, *named.values())):
        return NotImplemented
    return as_lazy(function(*data, **named))


def _data(x: Any) -> Any:
    """What NumPy gets for an argument; NotImplemented for what is not little data that is there."""
    if type(x) is LazyArray:
        found = held(x)
        if type(found) is _ndarray and found.size < limits.elements:
            seen = found.view()
            seen.flags.writeable = False
            return seen
        return found if isinstance(found, np.generic) else NotImplemented
    return x if type(x) in _PLAIN or _is_plain(x) else NotImplemented


def as_lazy(found: Any) -> Any:
    """A result as drawn numbers are given: an array is an array of its own."""
    if type(found) is not _ndarray or found.dtype not in NAMES:
        return found
    own = found if found.base is None and found.flags.owndata else found.copy(order="K")
    return new(own) if own.size < limits.elements else rebuild(own)
