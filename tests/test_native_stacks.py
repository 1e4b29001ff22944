"""Products of many little matrices in native code: beside NumPy, to the last bit where the terms are whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr.backends import native_products

SHAPES = [
    ((40, 3, 3), (40, 3, 3)), ((40, 3, 3), (40, 3, 1)), ((3, 3), (40, 3, 1)), ((40, 2, 3), (3, 4)), ((200, 3), (3, 3)),
    ((5, 1, 2, 4), (6, 4, 8)), ((1, 3, 3), (40, 3, 3)), ((4, 5, 6, 3), (3, 2)), ((40, 8, 8), (40, 8, 8)),
    ((40, 1, 3), (40, 3, 1)), ((2, 1, 3, 3), (1, 7, 3, 3)), ((300, 1), (1, 5)), ((1, 1, 9, 3), (3, 3)),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["f8", "f4", "c16", "c8"])
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_shapes_and_types(shapes: tuple[Any, Any], dtype: str) -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.integers(-5, 6, shape).astype(dtype) for shape in shapes)
    if dtype[0] == "c":
        a, b = a + 2j * a[..., ::-1], b * (1 - 1j)
    a, b = a.astype(dtype), b.astype(dtype)
    multiply: Any = lazyarr.accelerate(lambda a, b: a @ b, always=True)
    parts: Any = lazyarr.accelerate(lambda a, b: ((a + 1) @ (b * 2))[..., ::-1], always=True)
    for found, expected in ((multiply(a, b), a @ b), (parts(a, b), ((a + 1) @ (b * 2))[..., ::-1])):
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        np.testing.assert_array_equal(found, expected)


def test_rounding_and_what_is_no_number() -> None:
    rng = np.random.default_rng(1)
    turns, points = rng.standard_normal((500, 3, 3)), rng.standard_normal((500, 3))
    turns[7, 1, 2], points[9, 0] = np.nan, np.inf

    def turned(turns: Any, points: Any) -> Any:
        return (turns @ points[:, :, None])[..., 0], points @ turns[0], np.matmul(turns.transpose(0, 2, 1), turns)

    with np.errstate(invalid="ignore"):
        expected = turned(turns, points)
    for x, y in zip(lazyarr.accelerate(turned, always=True)(turns, points), expected, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-13, atol=1e-14)


def test_in_loops_and_into_what_is_read() -> None:
    def steps(state: Any, turn: Any) -> Any:
        for _ in range(5):
            state[...] = state @ turn
            state[1:] = turn @ state[:-1]
        return state.sum()

    rng = np.random.default_rng(2)
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    given = rng.standard_normal((50, 3, 3))
    mine, theirs = given.copy(), given.copy()
    found, expected = lazyarr.accelerate(steps, always=True)(mine, turn), steps(theirs, turn)
    np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(found, expected, rtol=1e-11)


def test_little_and_large_ones() -> None:
    for n in (native_products.LITTLE, native_products.LITTLE + 1):
        a = np.arange(20.0 * n * n).reshape(20, n, n) % 7
        np.testing.assert_array_equal(lazyarr.accelerate(lambda a: a @ a[::-1], always=True)(a), a @ a[::-1])
