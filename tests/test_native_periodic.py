"""Short last axes that broadcast: blocks of whole rows, of equal bits, whatever number of them is left over."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from lazyarr.backends import native_periodic
from lazyarr.ir.types import DTYPES
from tests.bits import assert_same_bits

Array = np.ndarray[Any, Any]


def scaled(x: Array, p: Array) -> Array:
    return x * p + p


def chosen(x: Array, p: Array) -> Array:
    return np.where(x > p, x, p - x)


def in_place(x: Array, p: Array) -> Array:
    x -= p
    x *= p * p
    return x


def steps(x: Array, p: Array) -> Array:
    for k in range(3):
        x = (x - p) * (k + 1)
    return x


@pytest.fixture
def filled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many operands repeat, of each statement that is done by blocks."""
    found: list[int] = []
    fill = native_periodic.fill

    def counted(c: Any, target: Any, source: Any, repeated: Any, buffers: Any) -> None:
        found.append(len(repeated))
        fill(c, target, source, repeated, buffers)

    monkeypatch.setattr(native_periodic, "fill", counted)
    return found


def _check(function: Callable[..., Array], *args: Any) -> None:
    want_of, got_of = deepcopy(args), deepcopy(args)
    for _ in range(2):
        want, got = function(*want_of), accelerate(function, strict=True)(*got_of)
        assert_same_bits([want], [got])
        for a, b in zip(want_of, got_of, strict=True):
            if isinstance(a, np.ndarray):
                assert_same_bits([a], [b])


@pytest.mark.parametrize("dtype", ["f8", "f4", "c16", "i8", "u1", "i2"])
@pytest.mark.parametrize("function", [scaled, chosen, in_place, steps])
@pytest.mark.parametrize("width", [2, 3, 5, 8, 12, 19])
def test_rows_and_one_row(function: Callable[..., Array], dtype: str, width: int, filled: list[int]) -> None:
    rng = np.random.default_rng(width)
    x = (rng.standard_normal((4201, width)) * 20).astype(dtype)
    _check(function, x, (rng.standard_normal(width) * 5).astype(dtype))
    assert filled


def test_truth_values(filled: list[int]) -> None:
    rng = np.random.default_rng(1)
    _check(lambda x, p: (x & p) | ~p, rng.random((5000, 3)) < 0.5, np.array([True, False, True]))
    assert filled


def test_axes_that_repeat_together(filled: list[int]) -> None:
    rng = np.random.default_rng(2)
    x = rng.standard_normal((60, 31, 4, 3))
    for p in (rng.standard_normal((4, 3)), rng.standard_normal((1, 4, 3))):
        for q in (rng.standard_normal(3), rng.standard_normal((1, 1, 1, 3)), rng.standard_normal((1, 1))):
            _check(lambda x, p, q: x * p + q * 2 - p * p, x, p, q)
    assert set(filled) == {2, 3}


@pytest.mark.parametrize("rows", [0, 1, 100, 1365, 1366, 1367, 5461, 5462, 20001])
def test_any_number_of_rows(rows: int) -> None:
    rng = np.random.default_rng(rows)
    _check(scaled, rng.standard_normal((rows, 3)), rng.standard_normal(3))


def test_what_does_not_repeat_is_left_alone(filled: list[int]) -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal((2000, 7))
    _check(lambda x, p: x[:, 1:] * p, x, rng.standard_normal(6))  # rows are not neighbours
    _check(lambda x, p: x * p, x, rng.standard_normal((2000, 1)))
    _check(lambda x, p: x.T * p, x, rng.standard_normal(2000))
    assert not filled


def test_in_a_loop_over_lengths() -> None:
    def parts(x: Array, p: Array, n: int) -> Array:
        out = np.zeros_like(x)
        for k in range(n):
            out[: x.shape[0] - k * 100] = x[k * 100 :] * p
        return out

    _check(parts, np.random.default_rng(4).standard_normal((3000, 3)), np.array([1.0, 2, 3]), 4)


def test_every_dtype_has_a_place_on_the_stack() -> None:
    for name, dtype in DTYPES.items():
        if name != "bool":
            _check(lambda x, p: x + p, np.ones((2000, 3), dtype), np.arange(3).astype(dtype))


@pytest.mark.parametrize("width", [20, 25, 64, 65])
def test_longer_rows_where_there_is_much_to_do(width: int, filled: list[int]) -> None:
    def much(x: Array, p: Array) -> Array:
        y = (((x * p + 1) * x - p) * x + p) * p - x * x
        z = (((y * p - 1) * x - p) * y + p) / 3 - x * y
        found: Array = (((z * p + y) * x - z) * z + x) * p - z * z
        return found

    rng = np.random.default_rng(width)
    x, p = rng.standard_normal((401, width)), rng.standard_normal(width)
    _check(much, x, p)
    assert bool(filled) == (width <= 64)
    del filled[:]
    _check(scaled, x, p)
    assert not filled
