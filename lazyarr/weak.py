"""Python scalars that a program takes as arguments: weak (NEP 50) until an operation decides their dtype."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np

from lazyarr.ir.node import Value


@runtime_checkable
class WeakScalar(Protocol):
    """A Python scalar known at run time only, as tracing provides it.

    Attributes
    ----------
    python_type : type
        int, float or complex.
    """

    python_type: type

    def weak_value(self, dtype: np.dtype[Any]) -> Value:
        """Its value in the graph, of weak type; notes that it has to fit `dtype`."""
