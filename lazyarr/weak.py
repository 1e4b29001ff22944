"""Python scalars that a program takes as arguments: weak (NEP 50) until an operation decides their dtype."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from lazyarr.ir.node import Value


class WeakScalar:
    """A Python scalar known at run time only, as tracing provides it.

    Attributes
    ----------
    python_type : type
        int, float or complex.
    """

    __slots__ = ()

    def __copy__(self, memo: Any = None) -> WeakScalar:
        return self  # as a number is

    __deepcopy__ = __copy__

    @property
    @abstractmethod
    def python_type(self) -> type:
        """int, float or complex."""

    @abstractmethod
    def beyond(self, dtype: np.dtype[Any]) -> int | None:
        """The value of an int that an integer dtype does not hold, which the program then depends on; else None."""

    @abstractmethod
    def at_hand(self) -> Any:
        """The number that it is in the call that is traced: what is made of that is not the same in other calls."""

    @abstractmethod
    def weak_value(self, dtype: np.dtype[Any]) -> Value:
        """Its value in the graph, of weak type; notes that it has to fit `dtype`."""

    def computed_value(self) -> Value | None:
        """Its value in the graph, where the program computes it: asking an argument's number notes nothing."""
        return None


def pythons(x: Any, special: str) -> Any:
    """A number of the user's class as Python's own, where it leaves a special method to that; else None.

    Members of `enum.IntEnum` are such numbers.
    """
    for kind, get in _PLAIN:
        if issubclass(type(x), kind):
            return get(x) if getattr(type(x), special, None) is getattr(kind, special, None) else None
    return None


#: Comparisons as the other operand has them.
_MIRRORED = {"eq": "eq", "ne": "ne", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}


def reflected(name: str) -> str:
    """The special method that Python asks of the other operand (``__radd__`` for ``add``, ``__gt__`` for ``lt``)."""
    return f"__{_MIRRORED.get(name, 'r' + name)}__"


def is_users_number(x: Any) -> bool:
    """Whether a number is of a class that inherits from Python's numbers."""
    kinds = (int, float, complex)
    return issubclass(type(x), kinds) and type(x) not in (*kinds, bool) and not issubclass(type(x), np.generic)


#: Python's kinds of numbers, and what makes one of them of a number of a class that inherits from it.
_PLAIN: tuple[tuple[type, Any], ...] = ((int, int.__int__), (float, float.__float__), (complex, complex.__complex__))
