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
    def weak_value(self, dtype: np.dtype[Any]) -> Value:
        """Its value in the graph, of weak type; notes that it has to fit `dtype`."""
