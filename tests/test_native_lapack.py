"""Solvers in native programs: LAPACK's routines, called as NumPy calls them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazyarr
from tests.loop_checks import same


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
@pytest.mark.parametrize("n", [1, 2, 5, 30])
def test_native_programs_have_numpys_bits(dtype: str, n: int) -> None:
    rng = np.random.default_rng(n)
    a = (rng.standard_normal((n, n)) + 1j * rng.standard_normal((n, n))).astype("c16")
    a = (a if dtype.startswith("c") else a.real).astype(dtype)
    b = rng.standard_normal((n, 3)).astype(dtype)

    def program(a: Any, b: Any) -> Any:
        definite = a @ a.conj().T + n * np.eye(n, dtype=a.dtype)
        factors = np.linalg.cholesky(definite), np.linalg.cholesky(definite.T, upper=True)
        return np.linalg.solve(a, b), np.linalg.solve(a.T, b[:, 1]), np.linalg.inv(a), np.linalg.inv(2 * a)[0], factors

    accelerated: Any = lazyarr.accelerate(program, strict=True)
    for _ in range(2):
        *wanted, factors = program(a, b)
        *found, own = accelerated(a, b)
        for x, y in zip((*wanted, *factors), (*found, *own), strict=True):
            assert x.dtype == y.dtype and x.shape == y.shape
            if x is factors[0] or x is factors[1]:  # of a product, which has not NumPy's bits
                np.testing.assert_allclose(y, x, rtol=1e-4 if dtype in ("f4", "c8") else 1e-12, atol=1e-5)
            else:
                np.testing.assert_array_equal(x, y)
    explained = accelerated.explain(a, b)
    assert [region.backend for region in explained.regions] == ["native"]


def test_linear_algebra_in_a_loop_is_one_program() -> None:
    def filter(transition: Any, observed: Any, measured: Any) -> Any:
        state, spread = np.zeros(4), np.eye(4)
        found = np.zeros((len(measured), 4))
        for k in range(len(measured)):
            state, spread = transition @ state, transition @ spread @ transition.T + 0.1 * np.eye(4)
            residual = observed @ spread @ observed.T + np.eye(2)
            gain = spread @ observed.T @ np.linalg.inv(residual)
            state = state + gain @ (measured[k] - observed @ state)
            spread = (np.eye(4) - gain @ observed) @ spread
            found[k] = state
        return found

    rng = np.random.default_rng(0)
    given = rng.standard_normal((4, 4)) / 4, rng.standard_normal((2, 4)), rng.standard_normal((50, 2))
    accelerated = lazyarr.accelerate(filter, strict=True)
    np.testing.assert_allclose(accelerated(*given), filter(*given), rtol=1e-10, atol=1e-12)
    singular = np.zeros((4, 4)), np.zeros((2, 4)), rng.standard_normal((5, 2))
    np.testing.assert_allclose(accelerated(*singular), filter(*singular))


def test_singular_matrices_in_native_programs() -> None:
    def program(out: Any, a: Any, b: Any) -> Any:
        for k in range(len(a)):
            out[k] = np.linalg.solve(a[k], b)
        return out

    accelerated: Any = lazyarr.accelerate(program)
    a, b = np.stack([np.eye(3), 2 * np.eye(3)]), np.arange(3.0)
    np.testing.assert_array_equal(accelerated(np.zeros((2, 3)), a, b), program(np.zeros((2, 3)), a, b))
    a[1] = 0
    out = np.zeros((2, 3))
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        accelerated(out, a, b)
    assert not out.any()


@pytest.mark.parametrize("dtype", ["f8", "f4", "c16"])
@pytest.mark.parametrize("n", [1, 2, 3, 8, 30])
def test_determinants_have_the_bits_of_numpy(n: int, dtype: str) -> None:
    def function(stack: Any, found: Any) -> Any:
        for k in range(stack.shape[0]):
            found[k] = np.linalg.det(stack[k])
        return np.linalg.det(stack[0]), np.linalg.slogdet(stack[1]), np.linalg.slogdet(stack)

    rng = np.random.default_rng(n)
    stack = rng.normal(size=(12, n, n)).astype(dtype)
    stack[3, 0], stack[4], stack[5, 0, 0] = stack[3, -1], 0, np.nan
    stack[1] = stack[6] if n % 2 else stack[3]
    with np.errstate(all="ignore"):
        same(function, (stack, np.zeros(12, dtype)))
