"""Memory orders as they are given: in either case, None, and what is none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lazyarr.settings import settings
from tests.agree import agree

CALLS: dict[str, Any] = {
    "zeros": lambda np, x, o: np.zeros((2, 3), order=o),
    "ones": lambda np, x, o: np.ones((2, 3), float, o),
    "full": lambda np, x, o: np.full((2, 3), 2.0, order=o),
    "eye": lambda np, x, o: np.eye(3, order=o),
    "array": lambda np, x, o: np.array(x, order=o),
    "array of lists": lambda np, x, o: np.array([[1.0, 2], [3, 4]], order=o),
    "asarray": lambda np, x, o: np.asarray(x, order=o),
    "copy": lambda np, x, o: np.copy(x, order=o),
    "copied": lambda np, x, o: x.copy(o),
    "flatten": lambda np, x, o: x.flatten(o),
    "ravel": lambda np, x, o: np.ravel(x, o),
    "raveled": lambda np, x, o: x.ravel(order=o),
    "reshape": lambda np, x, o: np.reshape(x, (3, 2), o),
    "reshaped": lambda np, x, o: x.reshape((3, 2), order=o),
    "astype": lambda np, x, o: x.astype("f4", order=o),
    "zeros_like": lambda np, x, o: np.zeros_like(x, order=o),
    "full_like": lambda np, x, o: np.full_like(x, 3, order=o, shape=(4, 2)),
    "add": lambda np, x, o: np.add(x, 1, order=o),
    "sqrt": lambda np, x, o: np.sqrt(x, order=o),
    "einsum": lambda np, x, o: np.einsum("ij->ji", x, order=o),
    "unravel_index": lambda np, x, o: np.unravel_index(3, (2, 3), order=o),
    "ravel_multi_index": lambda np, x, o: np.ravel_multi_index((1, 2), (2, 3), order=o),
    "tobytes": lambda np, x, o: x.tobytes(o),
}


@pytest.mark.parametrize("eager_below", [0, 50_000])
@pytest.mark.parametrize("order", ["C", "F", "A", "K", "c", "f", "a", "k", None, "x", "Fortran", ""])
@pytest.mark.parametrize("name", CALLS)
def test_orders(name: str, order: Any, eager_below: int) -> None:
    def program(np: Any, x: Any) -> Any:
        found = CALLS[name](np, x, order)
        return found, getattr(found, "strides", ())

    with settings(eager_below=eager_below):
        agree(program, np.arange(6.0).reshape(2, 3))
        agree(program, np.asfortranarray(np.arange(6.0).reshape(2, 3)))
