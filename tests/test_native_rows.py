"""Rows that do not fill vectors: of small elements, some of the last ones are computed again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazyarr
from tests.bits import assert_same_bits

Array = np.ndarray[Any, Any]


def around(x: Array, steps: int) -> Array:
    for _ in range(steps):
        x = np.roll(x, 1, axis=1) ^ np.roll(x, -2, axis=0) | np.roll(x, (1, -1), axis=(0, 1)) & x
    return x


def in_place(x: Array, steps: int) -> Array:
    for _ in range(steps):
        x[1:] += x[:-1]
        x[:, 1:-1] += np.roll(x, 3, axis=1)[:, 1:-1]
        x[:, :-1] ^= x[::-1, 1:]
    return x


def written(x: Array, steps: int) -> Array:
    y = x.copy()
    for k in range(steps):
        y[:, 1:] = x[:, :-1] + 1
        y[1:, :-1] ^= x[:-1, 1:]
        x = np.roll(y, k, axis=1)
    return y


@pytest.mark.parametrize("dtype", ["b1", "i1", "u2", "i4"])
@pytest.mark.parametrize("width", [15, 16, 17, 32, 33, 34, 47, 64, 70])
def test_rows_of_every_length(dtype: str, width: int) -> None:
    x = np.random.default_rng(width).integers(0, 2 if dtype == "b1" else 100, (7, width)).astype(dtype)
    for function in (around, in_place, written):
        if dtype == "b1" and function is written:
            continue
        accelerated: Any = lazyarr.accelerate(strict=True)(function)
        for steps in (1, 5):
            plain, own = x.copy(), x.copy()
            assert_same_bits([function(plain, steps), plain], [accelerated(own, steps), own])
