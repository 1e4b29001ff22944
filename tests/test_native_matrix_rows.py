"""Passes over the rows of a matrix: updates by rows and columns, products with vectors from either side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr.backends import native_threads
from lazyarr.plans import plans


def updates(a: Any, u: Any, v: Any, w: Any) -> Any:
    a += np.outer(u, v)
    a -= v * w + u[:, None] * 0.5
    a[1:, 2:] *= v[2:]
    return a * w + u[:, None]


def swept(a: Any, u: Any, v: Any, w: Any) -> Any:
    for k in range(min(a.shape) - 1):
        a[k + 1 :, k + 1 :] -= np.outer(u[k + 1 :], w[k + 1 :])
        a[:, 1:] = np.maximum(a[:, 1:], v[1:] * a[:, :1])


def kept(a: Any, u: Any, v: Any, w: Any) -> Any:
    return np.where(a > v, a.T if a.shape[0] == a.shape[1] else a, w * 2), v * 2 - a, a[::-1] * v[::-1]


def results(found: Any) -> list[Any]:
    return list(found) if isinstance(found, tuple) else [] if found is None else [found]


def given(shape: Any, dtype: Any) -> Any:
    random = np.random.default_rng(shape[0])
    m, n = shape
    sizes = [(m, n), (m,), (n,), (n,)]
    found = [random.standard_normal(size) * 4 for size in sizes]
    if np.dtype(dtype).kind == "c":
        found = [x + 1j * random.standard_normal(x.shape) for x in found]
    return [x.astype(dtype) for x in found]


@pytest.mark.parametrize("dtype", ["f8", "f4", "i4", "c16"])
@pytest.mark.parametrize("shape", [(1, 300), (3, 2100), (66, 1066), (203, 301)])
@pytest.mark.parametrize("program", [updates, swept, kept])
def test_updates_have_the_bits_of_numpy(program: Any, shape: Any, dtype: Any, threads: int) -> None:
    if program is updates and dtype.startswith("i"):
        pytest.skip("NumPy does not store floats in integers")
    arrays = given(shape, dtype)
    expected = [x.copy() for x in arrays]
    wanted = program(*expected)
    fast = lazyarr.accelerate(program)
    for _ in range(3):
        own = [x.copy() for x in arrays]
        found = fast(*own)
        for a, b in zip([*own, *results(found)], [*expected, *results(wanted)], strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


def products(a: Any, u: Any, v: Any, w: Any) -> Any:
    return a @ v, u @ a, a.T @ u, v @ a.T, a[::2] @ w[::-1], u[1:] @ a[1:], a[:, ::2] @ v[::2], a[:, 1:].T @ u


def pieces(a: Any, u: Any, v: Any, w: Any) -> Any:
    for k in range(min(a.shape) - 1):
        u[k:] += a[k:, k:] @ v[k:]
        w[k:] -= 0.001 * (u[k:] @ a[k:, k:])
        w *= 0.1
        u *= 0.1


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "c16", "c8", "?"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (5, 3), (2, 3000), (67, 1027), (301, 203)])
def test_products_with_vectors(shape: Any, dtype: Any, threads: int) -> None:
    arrays = given(shape, dtype)
    wanted, found = products(*arrays), lazyarr.accelerate(strict=True)(products)(*arrays)
    for a, b in zip(found, wanted, strict=True):
        assert a.dtype == b.dtype
        if np.dtype(dtype).kind in "fc":
            scale = np.finfo(dtype).eps * max(shape) * 30
            np.testing.assert_allclose(a, b, rtol=scale, atol=scale * 16)
        else:
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("shape", [(40, 50), (130, 70)])
def test_products_of_parts(shape: Any, threads: int) -> None:
    arrays = given(shape, "f8")
    expected, own = [x.copy() for x in arrays], [x.copy() for x in arrays]
    pieces(*expected)
    lazyarr.accelerate(strict=True)(pieces)(*own)
    for a, b in zip(own, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


def test_sums_do_not_depend_on_threads() -> None:
    arrays = given((1001, 1203), "f8")
    before = native_threads.threads()
    found = []
    for count in (1, 2, 3):
        native_threads.set_threads(count)
        plans.clear()
        found.append(lazyarr.accelerate(strict=True)(products)(*arrays))
    native_threads.set_threads(before)
    plans.clear()
    for other in found[1:]:
        for a, b in zip(other, found[0], strict=True):
            np.testing.assert_array_equal(a, b)
