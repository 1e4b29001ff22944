"""Loops over columns whose iterations advance together: values, dtypes and what is left as it was, against NumPy."""

# Programs stand here as users write them.
# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr.backends import native_threads
from lazyarr.ir.rewrite import all_nodes
from lazyarr.plans import plans


def run(program: Callable[..., Any], *given: Any) -> tuple[list[Any], list[Any], int]:
    """NumPy's results and arguments, lazyarr's, and how many loops go by blocks of lanes."""
    ours = [np.array(a) if isinstance(a, np.ndarray) else a for a in given]
    theirs = [np.array(a) if isinstance(a, np.ndarray) else a for a in given]
    expected = program(*theirs)
    plans.clear()
    accelerated = lazyarr.accelerate(program)
    actual = accelerated(*ours)
    [plan] = plans._plans.values()
    loops = [node for node in all_nodes(plan.after.graph) if node.op.name == "loop"]
    steps = [loop.operands[2].node for loop in loops]
    lanes = sum(step.op.name == "const" and int(step.kw["value"].value) > 4 for step in steps)
    assert (expected is None) == (actual is None)
    return [expected, *theirs][expected is None :], [actual, *ours][expected is None :], lanes


def same(program: Callable[..., Any], *given: Any, lanes: int = 1, rtol: float = 0.0) -> None:
    """Compare to the bit, or within a tolerance, and the number of loops by lanes."""
    expected, actual, found = run(program, *given)
    for x, y in zip(expected, actual, strict=True):
        assert np.asarray(x).dtype == np.asarray(y).dtype and np.shape(x) == np.shape(y)
        if rtol:
            np.testing.assert_allclose(y, x, rtol=rtol, atol=rtol)
        else:
            np.testing.assert_array_equal(y, x)
            assert np.array_equal(np.signbit(y), np.signbit(x)) if np.asarray(x).dtype.kind == "f" else True
    assert found == lanes


def table(n: int, m: int, dtype: Any = np.float64, seed: int = 0) -> Any:
    values = np.random.default_rng(seed).standard_normal((n, m)) * 10
    return values.astype(dtype)


def weighted(a, w, out):
    for j in range(a.shape[1]):
        out[j] = (a[:, j] * w).sum()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("m", [6, 16, 31, 1030])
@pytest.mark.parametrize("n", [7, 9, 128, 137, 1111])
def test_sums_of_columns_have_the_bits_of_sums_of_each(n, m, dtype):
    if n * m > 200_000:
        pytest.skip("long in NumPy")
    same(weighted, table(n, m, dtype), table(1, n, dtype)[0], np.ones(m, dtype))


def test_zeros_and_what_is_no_number_in_columns():
    a = table(40, 20)
    a[3, 2], a[:, 4], a[5, 6], a[7, 7] = np.nan, -0.0, np.inf, -np.inf
    same(weighted, a, np.ones(40), np.zeros(20))
    same(weighted, a[:3].copy(), -np.ones(3), np.zeros(20))


def lower(a, w, out):
    n, m = a.shape
    for i in range(m - 1):
        for j in range(i + 1, m):
            out[i, j] = np.sum(a[:, i] * a[:, j])
            out[j, i] = out[i, j]


@pytest.mark.parametrize("m", [6, 40, 90])
def test_bounds_by_an_outer_index(m):
    same(lower, table(33, m), table(1, 33)[0], np.zeros((m, m)))


def parts_of_columns(a, w, out):
    n, m = a.shape
    for i in range(n):
        for j in range(m):
            out[i, j] += (a[i:, j] - w[i:]).sum() - a[i, j]


def test_parts_of_columns():
    same(parts_of_columns, table(30, 21), table(1, 30)[0], table(30, 21, seed=1))


def products(lower, b, alpha):
    m, n = b.shape
    for i in range(m):
        for j in range(n):
            b[i, j] += np.dot(lower[i + 1 :, i], b[i + 1 :, j])
    b *= alpha


def test_products_of_a_column_with_all():
    same(products, table(30, 30), table(30, 37), 1.5, rtol=1e-9)


def products_of_columns(a, b, out):
    for j in range(1, a.shape[1]):
        out[j - 1] = a[:, j] @ b[:, j - 1]


def test_products_of_columns_with_columns():
    same(products_of_columns, table(50, 30), table(50, 30, seed=1), np.zeros(30), rtol=1e-11)


def orthogonal(a):
    m, n = a.shape
    q, r = np.zeros((m, n)), np.zeros((n, n))
    for k in range(n):
        r[k, k] = np.sqrt(a[:, k] @ a[:, k])
        q[:, k] = a[:, k] / r[k, k]
        for j in range(k + 1, n):
            r[k, j] = q[:, k] @ a[:, j]
            a[:, j] -= q[:, k] * r[k, j]
    return q + r[:1].sum()


def test_columns_that_are_written():
    same(orthogonal, table(40, 20) + 30 * np.eye(40, 20), rtol=1e-9)


def by_numbers(a, w, out):
    for j in range(2, a.shape[1] - 1):
        scale = j * 2 + w[j] if a.shape[0] > 3 else w[j]
        out[:, j] = a[:, j + 1] * scale - w[3]
        out[2, j] = max(a[0, j - 1], scale)


def test_indices_as_numbers():
    same(by_numbers, table(9, 30), np.arange(30.0), table(9, 30, seed=2))


def filled(a, w, out):
    for j in range(a.shape[1]):
        out[:, j] = w[j]
        out[1, j] += a[:, j].max() - a[:, j].min()


def test_numbers_into_columns_and_extrema():
    same(filled, table(9, 30), np.arange(30.0), table(9, 30, seed=2))
    a = table(9, 30)
    a[3, 4] = np.nan
    same(filled, a, np.arange(30.0), table(9, 30, seed=2))


def counted(a, w, out):
    for j in range(a.shape[1]):
        out[j] = a[:, j].sum() + a[:3, j].prod() - (a[:, j] > w[j]).sum()


def test_integers():
    same(counted, table(300, 30, np.int64), np.arange(30), np.zeros(30, np.int64))


def nothing_to_do(a, w, out):
    for i in range(a.shape[1] + 1):
        for j in range(i, a.shape[1]):
            out[j] = (a[:, j] * a[i % 3, 0]).sum() + w[i]


def test_no_columns_left():
    same(nothing_to_do, table(11, 20), np.arange(21.0), np.zeros(20))


def cubes(a, w, out):
    for j in range(a.shape[2]):
        out[:, j] = (a[1, :, j] + w) * a[0, 2, j]


def test_columns_of_more_axes():
    a = np.random.default_rng(5).random((3, 20, 31))
    same(cubes, a, np.arange(20.0), np.zeros((20, 31)))


# --- what stays as it is


def rows(a, w, out):
    for i in range(a.shape[0]):
        out[i] = (a[i, :] * w).sum()


def turned(a, w, out):
    b = a.T
    for j in range(b.shape[1]):
        out[j] = (b[:, j] * w).sum()


def dependent(a, w, out):
    for j in range(1, a.shape[1]):
        a[:, j] += a[:, j - 1] * w
        out[j] = a[:, j].sum()


def private(a, w, out):
    for j in range(a.shape[1]):
        t = np.zeros(a.shape[0])
        t[j % 7] = a[0, j]
        out[j] = (a[:, j] * t).sum()


def backwards(a, w, out):
    for j in range(a.shape[1] - 1, -1, -1):
        out[j] = (a[:, j] * w).sum()


def parts_by_index(a, w, out):
    for j in range(1, a.shape[1]):
        out[j] = a[:j, j].sum()


def exponents(a, w, out):
    for j in range(a.shape[1]):
        out[j] = (abs(a[:, j]) ** w[j]).sum()


@pytest.mark.parametrize(
    ("program", "rtol"), [(rows, 0.0), (turned, 0.0), (dependent, 0.0), (private, 0.0), (backwards, 0.0),
                          (parts_by_index, 0.0), (exponents, 1e-12)]
)  # fmt: skip
def test_other_loops(program, rtol):
    same(program, table(40, 40), np.arange(40.0) / 20, np.zeros(40), lanes=0, rtol=rtol)


def until_small(a, x, out):
    steps = 0
    while steps < 3 and (x * x).sum() > 1e-3:
        for j in range(a.shape[1]):
            out[j] = a[:, j] @ x
        x *= 0.1
        steps += 1
    return steps


def test_products_keep_their_bits_where_data_ends_a_loop():
    same(until_small, table(30, 30), table(1, 30)[0], np.zeros(30), lanes=0)


@pytest.mark.parametrize("threads", [1, 2])
def test_many_columns_by_threads(threads):
    before = native_threads.threads()
    native_threads.set_threads(threads)
    try:
        same(weighted, table(150, 5003), table(1, 150)[0], np.zeros(5003))
        same(lower, table(150, 200), table(1, 150)[0], np.zeros((200, 200)))
    finally:
        native_threads.set_threads(before)
