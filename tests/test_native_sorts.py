"""Sorting in native code: NumPy's own functions for rows, so NumPy's results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lazyarr.backends import native_linked
from lazyarr.backends.native import compile
from lazyarr.ir.text import parse
from tests.loop_checks import Array, same


def values(shape: tuple[int, ...], dtype: str) -> Array:
    rng = np.random.default_rng(len(shape) + shape[0])
    x = rng.permutation(int(np.prod(shape))).reshape(shape)
    if np.dtype(dtype).kind == "c":
        return (x % 7 + 1j * x).astype(dtype)
    return (x % 2 if dtype == "?" else x % 100 if np.dtype(dtype).itemsize == 1 else x).astype(dtype)


def in_order(x: Any) -> Any:
    return np.sort(x), np.sort(x, kind="stable"), np.sort(x[::-1]), np.sort(x, axis=0)


def indices(x: Any) -> Any:
    return np.argsort(x, kind="stable"), x.argsort(axis=0, kind="stable")


def by_rows(x: Any, out: Any) -> Any:
    for i in range(x.shape[0]):
        row = np.sort(x[i] * 2)
        order = np.argsort(x[i], kind="stable")
        out[i] = row[0] + row[-1] + x[i, order[1]]
    return out


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "c16", "c8", "i8", "u4", "i2", "i1", "?"])
@pytest.mark.parametrize("shape", [(1,), (2,), (1000,), (30_001,), (7, 33), (400, 20), (3, 4, 5)])
def test_as_numpy(shape: tuple[int, ...], dtype: str, threads: int) -> None:
    same(in_order, (values(shape, dtype),))
    same(indices, (values(shape, dtype),))


def test_in_loops() -> None:
    x = values((200, 31), "f8")
    same(by_rows, (x, np.zeros(200)), (x.astype("f4")[:, ::-1], np.zeros(200, "f4")))


@pytest.mark.parametrize("dtype", ["f8", "f4", "c16"])
def test_no_numbers_come_last(dtype: str) -> None:
    x = values((300,), dtype)
    x[[3, 50, 299]] = np.nan
    x[[7, 8]] = np.inf, -np.inf
    same(in_order, (x,))
    same(indices, (x,))


def test_arguments_that_are_sorted_in_place() -> None:
    def change(x: Any) -> Any:
        x.sort()
        x[::2].sort()
        return x[0]

    same(change, (values((5, 9), "f8"),), (values((50,), "i4"),))


def test_empty_rows() -> None:
    same(lambda x: (np.sort(x), np.argsort(x)), (np.zeros((3, 0)),), (np.zeros(0),))


@pytest.mark.parametrize("name", ["sort", "argsort"])
def test_no_step_in_python(name: str) -> None:
    program = compile(parse(f"""graph(%0: f64[50,20]) {{
      %1 = {name}(%0) {{axis=1, stable=False}} : {"f64" if name == "sort" else "i64"}[50,20]
      return %1
    }}"""))
    assert not program.program.calls
    assert [s.name for s in program.program.symbols if s.extension] == [f"numpy_{name}_f8_0"]
    assert native_linked.link(f"numpy_{name}_f8_0", "NumPy's tables")


def places(a: Any, v: Any) -> Any:
    a = np.sort(a)
    return (np.searchsorted(a, v), np.searchsorted(a, v, side="right"), np.searchsorted(a, v[0]),
            np.searchsorted(a[::2], v, "right"), np.searchsorted(a[:0], v))  # fmt: skip


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "i8", "u1", "i2", "c16", "?"])
@pytest.mark.parametrize("n", [1, 2, 7, 1000])
def test_places_in_what_is_sorted(n: int, dtype: str, threads: int) -> None:
    a, v = values((n,), dtype), values((5000,), dtype)
    if np.dtype(dtype).kind in "fc":
        a[n // 2 :: 5] = np.nan
        v[::7], v[3] = np.nan, np.inf
    same(places, (a, v), (a, v.reshape(50, 100)))


def test_a_number_is_searched_for_in_a_loop() -> None:
    def interpolate(x: Any, xs: Any, ys: Any, out: Any) -> Any:
        for i in range(x.shape[0]):
            j = np.searchsorted(xs, x[i]) - 1
            t = (x[i] - xs[j]) / (xs[j + 1] - xs[j])
            out[i] = ys[j] + t * (ys[j + 1] - ys[j])
        return out

    xs = np.linspace(0, 1, 50)
    same(interpolate, (np.random.default_rng(0).uniform(0.01, 0.99, 300), xs, np.sin(xs), np.zeros(300)))


def walks(n: int) -> list[Array]:
    """Keys among the even numbers below 2 * n, and beyond, one after the other: all of one length."""
    rng = np.random.default_rng(n)
    keys = [
        np.linspace(-3, 2 * n + 3, 900), np.linspace(2 * n + 3, -3, 900),
        np.full(900, n // 2 * 2), np.tile([-1, 2 * n + 1], 450),
        np.cumsum(rng.integers(-11, 12, 900)) % (2 * n + 9) - 4, rng.integers(-4, 2 * n + 4, 900),
    ]  # fmt: skip
    return [np.round(walk) for walk in keys]


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "u4", "i2"])
@pytest.mark.parametrize("n", [1, 3, 4, 5, 6, 9, 10, 400])
def test_each_search_begins_where_the_last_has_ended(n: int, dtype: str, threads: int) -> None:
    sorted_keys = np.repeat(np.arange(n) * 2, 1 + np.arange(n) % 3).astype(dtype)
    found = [v.clip(0) if np.dtype(dtype).kind == "u" else v for v in walks(n)]
    same(places, *[(sorted_keys, v.astype(dtype)) for v in found])


def test_tables_that_become_shorter() -> None:
    def counts(a: Any, v: Any) -> Any:
        found = np.zeros(len(v), np.int64)
        n = len(a)
        for i in range(len(v)):
            found[i] = np.searchsorted(a[:n], v[i])
            n = max(n - 3, 0)
        return found

    same(counts, (np.arange(100.0), np.full(60, 98.5)), (np.arange(100.0), np.linspace(99, 0, 60)))


@pytest.mark.parametrize("keys", [np.linspace(-0.1, 1.1, 3000), np.linspace(1.1, -0.1, 3000)])
def test_interpolation_in_order(keys: Array, threads: int) -> None:
    def interpolated(x: Any, xs: Any, ys: Any) -> Any:
        return np.interp(x, xs, ys), np.digitize(x, xs), np.histogram(x, xs)[0]

    for n in (2, 50, 3000):
        xs = np.linspace(0, 1, n)
        same(interpolated, (keys, xs, np.sin(9 * xs)))
