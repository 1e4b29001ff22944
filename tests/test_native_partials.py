"""Reductions that threads share: the bits are those of NumPy, whatever the number of threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr.backends.native import compile
from lazyarr.backends.native_emit import FORK
from lazyarr.ir.text import parse
from lazyarr.settings import settings

DTYPES = ["f8", "f4", "c16", "c8", "i8", "i4", "u1", "?"]


def data(n: int, dtype: str, seed: int = 0) -> Any:
    random = np.random.default_rng(seed)
    x = random.standard_normal(n) * 100
    if dtype == "?":
        return x > 0
    return (x + 1j * x[::-1]).astype(dtype) if dtype[0] == "c" else x.astype(dtype)


def agree(function: Any, *arguments: Any) -> None:
    expected = function(*arguments)
    fast = lazyarr.accelerate(function)
    for _ in range(3):
        found = fast(*arguments)
        assert type(found) is type(expected)
        assert np.asarray(found).dtype == np.asarray(expected).dtype
        assert np.asarray(found).tobytes() == np.asarray(expected).tobytes()


def total(x: Any) -> Any:
    return x.sum()


def squares(x: Any) -> Any:
    return (x * x).sum()


def spread(x: Any) -> Any:
    return x.std()


def strided(x: Any) -> Any:
    return x[::2].sum()


def columns(x: Any) -> Any:
    return x[: x.size // 7 * 7].reshape(7, -1)[:, 1:].sum()


def turned(x: Any) -> Any:
    return x[: x.size // 40 * 40].reshape(-1, 40).T.sum()


def added_up(x: Any) -> Any:
    return x[: x.size // 50 * 50].reshape(50, -1).sum(0)


def middle(x: Any) -> Any:
    return x[: x.size // 500 * 500].reshape(10, 50, -1).sum(1)


def largest(x: Any) -> Any:
    return x.max() - x.min()


def true(x: Any) -> Any:
    return (x != 3).all() ^ (x == 5).any()


def product(x: Any) -> Any:
    return np.bitwise_xor.reduce(x)


def long_rows(x: Any) -> Any:
    return x[: x.size // 3 * 3].reshape(3, -1).sum(0)


SUMS = [total, squares, spread, strided, columns, turned, added_up, middle, long_rows]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [65_537, 300_000])
def test_sums(threads: int, n: int, dtype: str) -> None:
    x = data(n, dtype)
    for function in SUMS:
        # (std of complex and of small integers rounds elsewhere; differences of bools are NumPy's errors.)
        if function is not spread or dtype in ("f8", "f4"):
            agree(function, x)


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "i4", "u1"])
@pytest.mark.parametrize("n", [65_537, 300_000])
def test_extrema_and_truths(threads: int, n: int, dtype: str) -> None:
    x = data(n, dtype)
    agree(largest, x)
    agree(true, x)
    agree(true, x * 0 + np.array(5, dtype))
    if dtype[0] != "f":
        agree(product, x)


@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("n", [511, 512, 700, 100_003])
def test_extrema_of_rows(n: int, dtype: str) -> None:
    x = np.stack([data(n, dtype, seed) for seed in range(7)])
    x[1, n // 2] = x[2, 0] = x[3, -1] = np.inf
    x[2, 5] = x[4, -1] = x[5, 1] = -np.inf
    x[3, 7] = x[4, n // 3] = np.nan
    x[6] = -np.inf

    def function(x: Any) -> Any:
        return x.max(1), x.min(1), x[:, 1:-1].max(1), x[1].max(), x[5].min(), x[6].max(), x[0, ::2].min(), x[2:4].min()

    fast = lazyarr.accelerate(function)
    for _ in range(3):
        for found, expected in zip(fast(x), function(x), strict=True):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("place", [0, 40_000, 99_999])
def test_a_number_that_is_none(threads: int, place: int) -> None:
    x = data(100_000, "f8")
    x[place] = np.nan
    for function in (total, largest):
        found = lazyarr.accelerate(function)(x)
        assert np.isnan(found)
    assert lazyarr.accelerate(lambda x: np.nanmax(x))(x) == np.nanmax(x)


@pytest.mark.parametrize("kind", ["add", "maximum"])
def test_who_shares(kind: str) -> None:
    text = """graph(%0: f64[{size}]) {{
  %1 = reduce(%0) {{axes=(0,), kind="{kind}"}} : f64[]
  return %1
}}"""
    forks = {}
    for threads in (1, 2):
        for size in (1_000, 1_000_000):
            with settings(threads=threads):
                forks[threads, size] = f"call void @{FORK}" in compile(parse(text.format(size=size, kind=kind))).text
    assert forks == {(1, 1_000): False, (1, 1_000_000): False, (2, 1_000): False, (2, 1_000_000): True}
