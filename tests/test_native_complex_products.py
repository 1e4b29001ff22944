"""Products of small complex matrices in native code."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr.backends.native import compile
from lazyarr.ir.graph import Graph, param
from lazyarr.ir.node import apply
from lazyarr.ir.op import lookup
from lazyarr.ir.types import ArrayType

Array = np.ndarray[Any, Any]


def drawn(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)


def assert_close(found: Array, expected: Array) -> None:
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-12 if found.dtype == np.complex128 else 1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", ["c16", "c8"])
@pytest.mark.parametrize(
    ("m", "k", "n"),
    [(1, 1, 1), (2, 3, 1), (3, 2, 5), (8, 8, 8), (4, 1, 9), (5, 7, 15), (3, 20, 16), (6, 5, 31), (2, 0, 3), (2, 2, 33)],
)
def test_every_number_of_columns(dtype: str, m: int, k: int, n: int) -> None:
    rng = np.random.default_rng(m * n)
    kind = np.dtype(dtype)
    turn = {"axes": (1, 0)}
    x, y = param(0, ArrayType(kind, (m, k))), param(1, ArrayType(kind, (k, n)))
    z = param(2, ArrayType(kind, (n, k)))
    plain = apply(lookup("matmul"), x, y)
    turned = apply(lookup("matmul"), x, apply(lookup("transpose"), z, **turn))
    formula = apply(lookup("matmul"), apply(lookup("add"), x, x), apply(lookup("multiply"), y, y))
    program = compile(Graph([x, y, z], [plain, turned, formula]))
    a, b, c = drawn(rng, (m, k), dtype), drawn(rng, (k, n), dtype), drawn(rng, (n, k), dtype)
    for found, expected in zip(program([a, b, c]), (a @ b, a @ c.T, (a + a) @ (b * b)), strict=True):
        assert_close(found, expected)


def test_windows_of_run_time_lengths() -> None:
    def products(a: Array, b: Array, count: int) -> Array:
        out = np.zeros((count, a.shape[0], b.shape[1]), dtype=a.dtype)
        for k in range(1, count):
            out[k, :k, :k] += a[:k, 1 : k + 2] @ b[1 : k + 2, :k]
            out[k, k, : k + 1] = (a[k : k + 1, ::2] @ b[::2, k::-1])[0]
        return out

    rng = np.random.default_rng(5)
    accelerated: Any = lazyarr.accelerate(strict=True)(products)
    for dtype in ("c16", "c8"):
        a, b = drawn(rng, (21, 24), dtype), drawn(rng, (24, 22), dtype)
        assert_close(accelerated(a, b, 20), products(a, b, 20))


def test_a_number_that_is_not_finite_stays_in_its_row_and_column() -> None:
    rng = np.random.default_rng(6)
    kind = np.dtype("c16")
    x, y = param(0, ArrayType(kind, (5, 5))), param(1, ArrayType(kind, (5, 5)))
    program = compile(Graph([x, y], [apply(lookup("matmul"), x, y)]))
    a, b = drawn(rng, (5, 5), "c16"), drawn(rng, (5, 5), "c16")
    a[1, 2], b[3, 4] = complex(np.nan, 1), complex(0, np.inf)
    with np.errstate(all="ignore"):
        found, expected = program([a, b])[0], a @ b
    assert np.array_equal(np.isfinite(found), np.isfinite(expected))
    assert_close(np.where(np.isfinite(found), found, 0), np.where(np.isfinite(found), expected, 0))
