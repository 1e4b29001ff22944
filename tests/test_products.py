"""Products that a loop makes of arrays it only reads, made for several iterations at a time, against NumPy."""

# Programs stand here as users write them.
# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr.ir.rewrite import all_nodes
from lazyarr.plans import plans


def blocks(program: Any, *given: Any) -> int:
    """The number of products of two matrices in loops; results are compared with NumPy's."""
    ours = [np.array(a) if isinstance(a, np.ndarray) else a for a in given]
    theirs = [np.array(a) if isinstance(a, np.ndarray) else a for a in given]
    expected = program(*theirs)
    plans.clear()
    actual = lazyarr.accelerate(program)(*ours)
    dtype = given[0].dtype
    rtol = 1e-4 if dtype in (np.float32, np.complex64) else 1e-11
    for x, y in zip([expected, *theirs], [actual, *ours], strict=True):
        if x is not None:
            assert np.asarray(x).dtype == np.asarray(y).dtype
            np.testing.assert_allclose(y, x, rtol=rtol, atol=rtol)
    [plan] = plans._plans.values()
    nodes = [node for node in all_nodes(plan.after.graph) if node.op.name == "matmul"]
    return sum(all(v.type.ndim == 2 for v in node.operands) for node in nodes)


def triangle(data, out):
    n, m = data.shape
    for i in range(m):
        out[i:, i] = data[:, i] @ data[:, i:] / (n - 1.0)
        out[i, i:] = out[i:, i]


@pytest.mark.parametrize(("n", "m"), [(1100, 30), (513, 64), (400, 97), (3000, 33), (40, 900)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_columns_from_the_index_on(n, m, dtype):
    data = np.random.default_rng(0).standard_normal((n, m)).astype(dtype)
    assert blocks(triangle, data, np.zeros((m, m), dtype)) == 1


def all_columns(data, other, out):
    for i in range(3, data.shape[1] - 2):
        out[i] += data[:, i] @ other - out[i - 1]


def test_all_columns_and_iterations_that_depend_on_each_other():
    rng = np.random.default_rng(1)
    assert blocks(all_columns, rng.random((700, 75)), rng.random((700, 50)), rng.random((75, 50))) == 1


def some(data, out, low, high):
    for i in range(low, high):
        out[i] = (data[:, i] @ data).sum()


@pytest.mark.parametrize(("low", "high"), [(0, 0), (5, 5), (7, 3), (2, 3), (0, 60), (1, 34)])
def test_bounds_that_the_call_decides(low, high):
    data = np.random.default_rng(2).random((600, 60))
    blocks(some, data, np.zeros(60), low, high)


def changing(data, out):
    for i in range(data.shape[1]):
        out[i, i:] = data[:, i] @ data[:, i:]
        data[0, i] = 0.5


def small(data, out):
    for i in range(data.shape[1]):
        out[i, i:] = data[:, i] @ data[:, i:]


def until(data, out):
    i = 0
    while i < 60 and out[0, 0] < 1e9:
        for k in range(data.shape[1]):
            out[k, k:] = data[:, k] @ data[:, k:]
        i += 20
    return i


def sometimes(data, out):
    for i in range(data.shape[1]):
        if data[0, i] > 0.5:
            out[i, i:] = data[:, i] @ data[:, i:]


def test_what_stays_as_it_is():
    data = np.random.default_rng(3).random((600, 60))
    for program in (changing, until, sometimes):
        assert blocks(program, data, np.zeros((60, 60))) == 0
    assert blocks(small, data[:40].copy(), np.zeros((60, 60))) == 0


def products(a, b, out):
    for i in range(a.shape[0]):
        out[i, :, :] = a[i] @ b[:, :7] + a[i, :, : i % 3 + 1] @ b[: i % 3 + 1, :7]


@pytest.mark.parametrize("dtype", [np.float64, np.complex128, np.int64])
def test_small_products_of_matrices(dtype):
    rng = np.random.default_rng(4)
    a, b = (rng.integers(-9, 9, shape).astype(dtype) for shape in ((8, 5, 6), (6, 9)))
    blocks(products, a, b, np.zeros((8, 5, 7), dtype))


@pytest.mark.parametrize("dtype", ["f8", "f4", "c16"])
def test_products_of_one_element_keep_the_sign_of_zero(dtype: str) -> None:
    def function(x: Any, y: Any) -> Any:
        return np.dot(x, y), np.inner(x, y), np.vdot(x, y), x @ y, np.dot(np.append(x, x), np.append(y, y))

    x, y = np.array([-4], dtype), np.zeros(1, dtype)
    for expected, found in zip(function(x, y), lazyarr.accelerate(function)(x, y), strict=True):
        np.testing.assert_array_equal(found, expected, strict=True)
        np.testing.assert_array_equal(np.signbit(np.real(found)), np.signbit(np.real(expected)))


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
@pytest.mark.parametrize(("rows", "expected"), [(1, 1), (3, 1), (40, 0)])
def test_a_stack_of_few_rows_with_one_matrix_is_one_product(rows: int, expected: int, dtype: str) -> None:
    def stacked(a, c):
        a[...] = (a.reshape(6, 5, rows, 40) @ c).reshape(a.shape)

    def with_vector(a, c):
        return a.reshape(6, 5, rows, 40) @ c[0]

    rng = np.random.default_rng(3)
    a, c = rng.random((6, 5 * rows, 40)).astype(dtype), rng.random((40, 40)).astype(dtype)
    assert blocks(stacked, a, c) == expected
    assert blocks(with_vector, a, c) == 0
