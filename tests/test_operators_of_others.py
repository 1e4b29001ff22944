"""Operators with objects of the user's and of packages: who answers is NumPy's rule, by ``__array_priority__``."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

import lazyarr.numpy as lnp
from lazyarr.settings import settings
from tests.agree import agree

BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and_", "or_", "xor", "lshift", "rshift")
COMPARED = ("eq", "ne", "lt", "le", "gt", "ge")


def _said(name: str) -> Any:
    def method(self: Any, other: Any) -> Any:
        return (type(self).__name__, name, np.asarray(other).tolist())

    return method


def _class(name: str, **members: Any) -> Any:
    methods = {f"__{n}{m.strip('_')}__": _said(n + m) for m in BINARY for n in ("", "r")}
    methods |= {f"__{m}__": _said(m) for m in COMPARED}
    return type(name, (), {**methods, "__hash__": None, **members})


System = _class("System", __array_priority__=11)
Lower = _class("Lower", __array_priority__=-5)
Never = _class("Never", __array_ufunc__=None)
Silent = type("Silent", (), {"__array_priority__": 20, "__array__": lambda self, dtype=None, copy=None: np.arange(3.0)})


@pytest.mark.parametrize("name", (*BINARY, *COMPARED))
@pytest.mark.parametrize("eager_below", [0, 50_000])
def test_who_answers(name: str, eager_below: int) -> None:
    function = getattr(operator, name)

    def forward(np: Any, x: Any) -> Any:
        return function(x, System()), function(System(), x), function(System(), x[1]), function(x, Never())

    def of_numbers(np: Any, x: Any) -> Any:
        return function(x.sum(), System()), function(x[1], System())

    with settings(eager_below=eager_below):
        agree(forward, np.arange(3.0))
        agree(of_numbers, np.arange(3.0))


@pytest.mark.parametrize("name", ["iadd", "isub", "imul", "itruediv", "imatmul", "ipow"])
def test_in_place(name: str) -> None:
    agree(lambda np, x: (getattr(operator, name)(x, System()), x), np.arange(3.0))


def test_of_a_lower_priority() -> None:
    def program(np: Any, x: Any) -> Any:
        found = x + Lower()
        return type(found).__name__ != "tuple", list(found)

    agree(program, np.arange(3.0))


def test_what_only_has_elements() -> None:
    """(NumPy would ask it, find no operator, and raise; its elements are taken.)"""
    assert np.asarray(lnp.arange(3.0) + Silent()).tolist() == [0.0, 2.0, 4.0]


def test_sparse_matrices() -> None:
    sparse = pytest.importorskip("scipy.sparse")

    def program(np: Any, x: Any, m: Any) -> Any:
        matrix, array = sparse.csr_matrix(np.eye(3) * 2), sparse.csr_array(np.eye(3) * 2)
        found = (x @ matrix, x @ array, m @ array, m @ matrix, matrix @ x, array @ m, x * matrix, matrix * x)
        sums = [m + array, array + m, m - matrix, matrix - m, (x * array).toarray(), m == array, x.sum() * matrix]
        return [np.asarray(f) for f in found], [f.tolist() if hasattr(f, "tolist") else f.toarray() for f in sums]

    agree(program, np.arange(3.0), np.arange(9.0).reshape(3, 3))
