"""Products of matrices are calls of NumPy's own BLAS: NumPy's bits, transposed and strided operands included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from lazyarr.backends import native_blas, native_gemm
from tests.bits import assert_same_bits

Array = np.ndarray[Any, Any]

FORMS: dict[str, Callable[[Array, Array], Array]] = {
    "plain": lambda a, b: a @ b,
    "both turned": lambda a, b: b.T @ a.T,
    "computed": lambda a, b: (a + 1) @ (b * 2) - 1,
    "every second": lambda a, b: a[::2] @ b[:, ::2],
    "parts": lambda a, b: a[:, 1:] @ b[1:],
    "backwards": lambda a, b: a @ b[:, ::-1],
    "columns backwards": lambda a, b: a[:, ::-1] @ b[::-1],
    "with itself": lambda a, b: a @ a.T,
    "turned with itself": lambda a, b: a.T @ a,
    "repeated": lambda a, b: a @ np.broadcast_to(b[:, :1], b.shape),
}


@pytest.fixture(autouse=True)
def blas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where products of our own are faster."""
    monkeypatch.setattr(native_gemm, "is_faster", lambda: False)


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Which products BLAS is asked for."""
    found: list[bool] = []
    multiplies = native_blas.multiplies

    def counted(*args: Any) -> bool:
        found.append(multiplies(*args))
        return found[-1]

    monkeypatch.setattr(native_blas, "multiplies", counted)
    return found


@pytest.mark.parametrize("dtype", ["f8", "f4", "c16"])
@pytest.mark.parametrize("shape", [(30, 40, 50), (15, 64, 64), (130, 9, 140), (3, 4000, 5), (1, 300, 90), (300, 90, 1)])
@pytest.mark.parametrize("form", FORMS)
def test_bits(form: str, shape: tuple[int, int, int], dtype: str, called: list[bool]) -> None:
    m, k, n = shape
    rng = np.random.default_rng(m)
    a, b = (rng.standard_normal(s).astype(dtype) for s in ((m, k), (k, n)))
    want, got = FORMS[form](a, b), accelerate(FORMS[form], strict=True)(a.copy(), b.copy())
    if dtype == "c16" or 1 in shape or not called:
        tolerance = 1e-4 if dtype == "f4" else 1e-11
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)
    else:
        assert_same_bits([want], [got])


def test_it_is_asked(called: list[bool]) -> None:
    a = np.random.default_rng(1).random((40, 40))
    for form, taken in (("plain", True), ("both turned", True), ("with itself", False), ("backwards", False)):
        called.clear()
        accelerate(FORMS[form], strict=True)(a.copy(), a.copy() + 1)
        assert called == [taken], form


def test_in_loops() -> None:
    def powers(a: Array, n: int) -> Array:
        for _ in range(n):
            a = a @ a / 40
        return a

    def layers(x: Array, weights: list[Array], n: int) -> Array:
        for _ in range(n):
            for w in weights:
                x = np.maximum(x @ w, 0)
        return x

    def until(a: Array, limit: float) -> tuple[Array, int]:
        n, power = 0, a
        while np.abs(power).max() > limit:
            power = power @ a
            n += 1
        return power, n

    rng = np.random.default_rng(2)
    a = rng.random((40, 40))
    assert_same_bits([powers(a, 5)], [accelerate(powers, strict=True)(a, 5)])
    x, weights = rng.random((20, 64)), [rng.standard_normal((64, 64)) * 0.2 for _ in range(3)]
    assert_same_bits([layers(x, weights, 3)], [accelerate(layers, strict=True)(x, weights, 3)])
    small = a / 50
    (want, count), (got, other) = until(small, 1e-9), accelerate(until, strict=True)(small, 1e-9)
    assert count == other
    assert_same_bits([want], [got])
