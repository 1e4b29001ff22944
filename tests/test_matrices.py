"""NumPy's matrices beside lazy arrays: what is a product of matrices in NumPy is one here."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

from lazyarr.settings import settings
from tests.agree import agree

BINARY = ("add", "sub", "mul", "truediv", "pow", "matmul", "eq", "lt")
SHAPES = [((2, 2), (2, 2)), ((2, 3), (3, 1)), ((2, 3), (2, 3)), ((2, 2), ()), ((2, 2), (2,)), ((1, 3), (3,))]


def _plain(x: Any) -> Any:
    return type(x).__name__ == "matrix", np.asarray(x).tolist()


@pytest.mark.parametrize("eager_below", [0, 50_000])
@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("name", BINARY)
def test_operators(name: str, shapes: Any, eager_below: int) -> None:
    function = getattr(operator, name)

    def forward(np: Any, x: Any, y: Any) -> Any:
        return _plain(function(np.asmatrix(x), y))

    def turned(np: Any, x: Any, y: Any) -> Any:
        return _plain(function(y, np.asmatrix(x)))

    def of_sums(np: Any, x: Any, y: Any) -> Any:
        return _plain(function(y.sum(), np.asmatrix(x))), _plain(function(np.asmatrix(x), y.sum()))

    x, y = (np.arange(1.0, 1 + np.prod(shape, dtype=int)).reshape(shape) for shape in shapes)
    with settings(eager_below=eager_below):
        for program in (forward, turned, of_sums):
            agree(program, x, y)


@pytest.mark.parametrize("name", ["iadd", "imul", "itruediv", "imatmul"])
def test_in_place(name: str) -> None:
    def of_array(np: Any, x: Any) -> Any:
        y = x.copy()
        return _plain(getattr(operator, name)(y, np.asmatrix(x))), y

    def of_matrix(np: Any, x: Any) -> Any:
        return _plain(getattr(operator, name)(np.asmatrix(x.copy()), x))

    for program in (of_array, of_matrix):
        agree(program, np.arange(1.0, 5.0).reshape(2, 2))


@pytest.mark.parametrize("name", [*BINARY, "ne", "ge", "floordiv"])
def test_masked_arrays(name: str) -> None:
    """Arrays of another class that has operators of its own."""
    function = getattr(operator, name)

    def program(np: Any, x: Any) -> Any:
        masked = np.ma.masked_array(np.asarray([1.0, 0.0, 3.0]), [0, 0, 1])
        found = [function(x, masked), function(masked, x), function(x.sum(), masked)] if name != "matmul" else []
        return [(type(f).__name__, f.tolist(), f.mask.tolist()) for f in found]

    agree(program, np.arange(3.0))


def test_a_matrix_of_an_array_is_written_to() -> None:
    def program(np: Any, x: Any) -> Any:
        m = np.asmatrix(x * 2)
        m[0, 1] = 9
        m[1] = np.ones(2)
        return _plain(m), _plain(m.I), _plain(np.asmatrix(x, dtype=int)), np.asmatrix(m) is m

    agree(program, np.arange(1.0, 5.0).reshape(2, 2))


def test_blocks_by_name() -> None:
    def program(np: Any, x: Any) -> Any:
        y = x + 1
        given = {"a": x * 3}
        return [_plain(m) for m in (np.bmat("x, y; y x"), np.bmat("a a", given, {}), np.bmat([[x, y], [y, x]]))]

    def missing(np: Any, x: Any) -> Any:
        return np.bmat("x absent")

    for each in (program, missing):
        agree(each, np.arange(4.0).reshape(2, 2))
