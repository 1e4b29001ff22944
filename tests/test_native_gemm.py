"""Products of matrices of our own: beside NumPy's, to the last bit where the terms are whole numbers."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from typing import Any

import llvmlite.binding as llvm
import numpy as np
import pytest

import lazyarr
from lazyarr.backends import native_gemm, native_gemm_code, native_threads

Array = np.ndarray[Any, Any]
DTYPES = [np.dtype("f8"), np.dtype("f4")]


@pytest.fixture
def everywhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Also where NumPy's BLAS is as fast."""
    monkeypatch.setattr(native_gemm, "is_faster", lambda: True)
    yield


def multiply(a: Array, b: Array, target: Array) -> None:
    """``target[...] = a @ b`` by the function itself, which is given no more memory than it asks for."""
    size = a.itemsize
    (m, k), n = a.shape, b.shape[1]
    memory = np.full(native_gemm_code.room(a.dtype, m, n, k) + 16, 5, a.dtype)
    native_threads.pool().ensure(native_threads.threads())
    call = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(llvm.address_of_symbol(native_gemm.function(a.dtype)))
    words = [x for y in (a, b) for x in (y.ctypes.data, *(s // size for s in y.strides))]
    words += [target.ctypes.data, target.strides[0] // size, m, n, k, memory.ctypes.data]
    table = (ctypes.c_int64 * len(words))(*words)
    call(ctypes.addressof(table))
    assert (memory[-16:] == 5).all()


def whole(rng: Any, shape: tuple[int, int], dtype: Any) -> Array:
    """Whole numbers, so small that no sum of products of theirs is rounded."""
    found: Array = rng.integers(-8, 9, shape).astype(dtype)
    return found


LAYOUTS: list[Callable[[Array], Array]] = [
    lambda x: x,
    lambda x: np.ascontiguousarray(x.T).T,
    lambda x: np.repeat(np.repeat(x, 2, 0), 3, 1)[::2, ::3],
    lambda x: np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1],
    lambda x: np.ascontiguousarray(x[:, ::-1].T)[::-1].T,
]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("seed", range(8))
def test_all_shapes_and_layouts(dtype: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(30):
        m, n, k = (int(rng.integers(1, rng.choice([12, 60, 300]))) for _ in range(3))
        a = LAYOUTS[rng.integers(len(LAYOUTS))](whole(rng, (m, k), dtype))
        b = LAYOUTS[rng.integers(len(LAYOUTS))](whole(rng, (k, n), dtype))
        around = np.full((m + 2, n + 3), 7, dtype)
        multiply(a, b, around[:m, :n])
        assert np.array_equal(around[:m, :n], a @ b), (m, n, k)
        assert (around[m:] == 7).all()
        assert (around[:, n:] == 7).all()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(2, 70, 90), (24, 300, 300), (5, 1030, 1100), (40, 50, 60)])
def test_rows_and_columns_that_are_repeated(dtype: Any, shape: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(7)
    m, k, n = shape
    a, b = whole(rng, (m, k), dtype), whole(rng, (k, n), dtype)
    for x in (a, np.broadcast_to(a[:1], a.shape), np.broadcast_to(a[:, :1], a.shape)):
        for y in (b, np.broadcast_to(b[:1], b.shape), np.broadcast_to(b[:, :1], b.shape)):
            target = np.full((m, n), np.nan, dtype)
            multiply(x, y, target)
            assert np.array_equal(target, np.ascontiguousarray(x) @ np.ascontiguousarray(y))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(4099, 3, 7), (3, 8200, 5), (9, 11, 4000), (2050, 4085, 3), (70, 90, 1),
                                   (5, 4100, 700), (8, 2100, 1031), (3, 9000, 301), (1, 4099, 800)])
def test_more_than_is_packed_at_a_time(dtype: Any, shape: tuple[int, int, int]) -> None:
    m, n, k = shape
    rng = np.random.default_rng(1)
    a, b = whole(rng, (m, k), dtype), whole(rng, (k, n), dtype)
    target = np.empty((m, n), dtype)
    multiply(a, b, target)
    assert np.array_equal(target, a @ b)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_what_is_no_number_stays_in_its_row_and_column(dtype: Any) -> None:
    rng = np.random.default_rng(2)
    a, b = whole(rng, (50, 70), dtype), whole(rng, (70, 61), dtype)
    a[13, 5], a[49, 69], b[3, 60] = np.nan, np.inf, -np.inf
    b[:, 11] = 0
    target = np.empty((50, 61), dtype)
    multiply(a, b, target)
    np.testing.assert_array_equal(target, a @ b)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_rounding_is_that_of_sums(dtype: Any) -> None:
    rng = np.random.default_rng(3)
    a, b = (rng.standard_normal((300, 300)).astype(dtype) for _ in range(2))
    target, turned = np.empty((300, 300), dtype), np.empty((300, 300), dtype)
    multiply(a, b, target)
    exact = a.astype("f8") @ b.astype("f8")
    assert np.abs(target - exact).max() <= 4 * np.abs((a @ b) - exact).max() + 1e-12
    # The bits depend neither on where an element stands, nor on how much there is to do.
    multiply(a[37:41], b[:, 90:95], turned[:4, :5])
    assert np.array_equal(turned[:4, :5], target[37:41, 90:95])
    multiply(a, a.T, target)
    assert np.array_equal(target, target.T)
    # (Few rows, and a matrix that comes from memory.)
    a, b = rng.standard_normal((40, 601)).astype(dtype), rng.standard_normal((601, 4001)).astype(dtype)
    many, few = np.empty((40, 4001), dtype), np.empty((7, 4001), dtype)
    multiply(a, b, many)
    multiply(a[:7], b, few)
    assert np.array_equal(few, many[:7])


PROGRAMS: dict[str, Callable[..., Any]] = {
    "of what is computed": lambda a, b: np.maximum(a @ b, 0) @ (b + 1),
    "with itself": lambda a, b: a @ a.T + b.T @ b,
    "turned": lambda a, b: a.T @ b.T,
    "views": lambda a, b: a[::2, 5:] @ b[:-5, ::-1],
    "read-only broadcast": lambda a, b: np.broadcast_to(a[0], a.shape) @ b,
    "one row to each": lambda a, b: a.reshape(20, 4, 1, -1) @ b,
    "stacks that are no matrix": lambda a, b: np.ascontiguousarray(a.reshape(8, 10, -1).transpose(1, 0, 2))[:, ::2] @ b,
    "stacks with steps": lambda a, b: a.reshape(8, 10, -1)[:, ::2] @ b,
    "stacks of both": lambda a, b: np.stack([a, b, a.T])[:, ::-1] @ np.stack([b, a, b]).transpose(0, 2, 1),
    "stacks of stacks": lambda a, b: a[:, None, None] * np.ones((2, 60, 1)) @ (b[:, None, None] + np.ones((2, 80, 1))),
    "stacks that are broadcast": lambda a, b: np.stack([a, b])[:, None] @ np.stack([b, a, b]),
    "few rows, few terms": lambda a, b: a[:8, :3] @ np.tile(b[:3], (1, 70)),
    "in a loop": lambda a, b: repeated(a, b),
    "dot": lambda a, b: np.dot(a, b) - np.tensordot(a, b, 1),
}


def repeated(a: Any, b: Any) -> Any:
    for _ in range(4):
        a = np.tanh(a @ b / 50)
    return a


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name: str, dtype: Any) -> None:
    rng = np.random.default_rng(4)
    a, b = whole(rng, (80, 80), dtype), whole(rng, (80, 80), dtype)
    program = PROGRAMS[name]
    before, expected = (a.copy(), b.copy()), program(a, b)
    found = lazyarr.accelerate(program, always=True)(a, b)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    np.testing.assert_allclose(found, expected, rtol=0, atol=0 if name != "in a loop" else 1e-5)
    assert np.array_equal(a, before[0])
    assert np.array_equal(b, before[1])



@pytest.mark.usefixtures("everywhere")
def test_numpys_bits_where_a_loop_ends_by_them() -> None:
    def converged(a: Array, x: Array) -> tuple[Array, int]:
        k = 0
        while np.abs(x).max() > 1e-3 and k < 200:
            x = a @ x
            k += 1
        return x, k

    rng = np.random.default_rng(5)
    a = rng.standard_normal((60, 60)) / 16
    x = rng.standard_normal((60, 60))
    found, expected = lazyarr.accelerate(converged, always=True)(a, x), converged(a, x)
    assert found[1] == expected[1]
    assert np.array_equal(found[0], expected[0])
