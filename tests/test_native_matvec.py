"""Products with a vector that have NumPy's own bits, rows shared among threads where BLAS uses one, against NumPy."""

# Programs stand here as users write them.
# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False
from __future__ import annotations

import ctypes
from collections.abc import Iterator
from importlib import import_module

import numpy as np
import pytest

import lazyarr
from lazyarr.backends import native_blas, native_threads
from lazyarr.plans import plans


@pytest.fixture(params=[1, 2])
def blas_threads(request: pytest.FixtureRequest) -> Iterator[int]:
    """Threads of NumPy's BLAS, where it lets itself be told."""
    name = native_blas.threads()
    if name is None:
        pytest.skip("NumPy has another BLAS")
    library = ctypes.CDLL(import_module("numpy._core._multiarray_umath").__file__)
    before = getattr(library, name)()
    set_threads = getattr(library, name.replace("get", "set"))
    set_threads(request.param)
    ours = native_threads.threads()
    native_threads.set_threads(2)
    plans.clear()
    try:
        yield request.param
    finally:
        set_threads(before)
        native_threads.set_threads(ours)
        plans.clear()


def steps(a, x, tolerance):
    y, count = a @ x, 0
    while count < 4 and np.abs(y).max() > tolerance:
        y = a @ x + x @ a
        x = y / np.abs(y).max()
        count += 1
    return x, count


def parts(a, x, out):
    k = 0
    while k < a.shape[0] - 1:
        out[k, k:] = a[k:] @ x
        k += 1


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [300, 517, 900])
def test_products_have_the_bits_of_numpys(blas_threads, dtype, n):
    rng = np.random.default_rng(n)
    a, x = rng.random((n, n)).astype(dtype) - dtype(0.5), rng.random(n).astype(dtype)
    expected, actual = steps(a, x, 1e-9), lazyarr.accelerate(strict=True)(steps)(a, x, 1e-9)
    np.testing.assert_array_equal(actual[0], expected[0])
    assert actual[1] == expected[1]


def test_rows_whose_number_data_decides(blas_threads):
    n = 451
    rng = np.random.default_rng(0)
    a, x, ours, theirs = rng.random((n, n)), rng.random(n), np.zeros((n, n)), np.zeros((n, n))
    lazyarr.accelerate(strict=True)(parts)(a, x, ours)
    parts(a, x, theirs)
    np.testing.assert_array_equal(ours, theirs)
