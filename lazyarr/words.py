"""Words that NumPy's functions take for one another: memory orders, in either case."""

from __future__ import annotations

from typing import Any


def order_of(order: Any, default: str = "C") -> Any:
    """The memory order that an argument names.

    Parameters
    ----------
    order : str, bytes or None
        One of the letters C, F, A, K, in either case.
    default : str
        What None stands for.

    Raises
    ------
    TypeError, ValueError
        In NumPy's words.
    """
    if order is None:
        return default
    if isinstance(order, bytes):
        order = order.decode("latin-1")
    if not isinstance(order, str):
        raise TypeError(f"order must be str, not {type(order).__name__}")
    found = order.upper()
    if found not in ("C", "F", "A", "K"):
        raise ValueError(f"order must be one of 'C', 'F', 'A', or 'K' (got {order!r})")
    return found
