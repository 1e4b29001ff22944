"""Loops over columns with loops in them, whose iterations advance together: the bits of NumPy's own numbers."""

# Programs stand here as users write them.
# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False
from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr.backends import native_threads
from lazyarr.passes import lane_blocks, lanes
from tests import random_nests
from tests.control_compare import define, forget
from tests.test_lanes import run, same, table


def products(a, b, c):
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            for k in range(a.shape[1]):
                c[i, j] += a[i, k] * b[k, j]


def sums(a, b, c):
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            total = 0.0
            for k in range(a.shape[1]):
                total += a[i, k] * b[k, j]
            c[i, j] = total


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.complex128])
@pytest.mark.parametrize("m", [16, 17, 40, 256, 257, 271, 600])
@pytest.mark.parametrize("program", [products, sums])
def test_products_of_matrices(program: Any, m: int, dtype: Any) -> None:
    if program is sums and dtype is not np.float64:
        pytest.skip("a Python float and another type make the sum another one")
    if dtype is np.complex128:
        expected, actual, _ = run(program, table(5, 7, dtype), table(7, m, dtype), table(5, m, dtype))
        np.testing.assert_allclose(actual[-1], expected[-1], rtol=1e-13)
        return
    same(program, table(5, 7, dtype), table(7, m, dtype), table(5, m, dtype), lanes=2 if m > 256 else 1)


def test_few_columns_stay_and_short_loops() -> None:
    same(sums, table(5, 7), table(7, 15), table(5, 15), lanes=0)
    same(sums, table(5, 6), table(6, 90), table(5, 90), lanes=0)
    same(convolved, table(9, 40), table(6, 5), table(4, 36), lanes=0)


def test_what_is_no_number_and_zeros() -> None:
    a, b = table(3, 8), table(8, 40)
    a[1, 2], a[2, 3] = np.nan, -0.0
    b[2, ::3], b[3, 1], b[:, 7] = np.inf, -np.inf, -0.0
    same(products, a, b, -0.0 * table(3, 40))


def moments(x, mean, deviation):
    n = x.shape[0]
    for j in range(x.shape[1]):
        mean[j] = 0.0
        for i in range(n):
            mean[j] += x[i, j]
        mean[j] /= n
    for j in range(x.shape[1]):
        deviation[j] = 0.0
        for i in range(n):
            deviation[j] += (x[i, j] - mean[j]) * (x[i, j] - mean[j])
        deviation[j] = np.sqrt(deviation[j] / n)


@pytest.mark.parametrize(("n", "lanes"), [(1, 0), (2, 0), (90, 2)])  # (Short loops are written out.)
def test_moments_of_columns(n: int, lanes: int) -> None:
    same(moments, table(n, 48), table(1, 48)[0], table(1, 48)[0], lanes=lanes)


def logistic(x, r, steps):
    out = np.empty_like(x)
    for j in range(len(x)):
        value = x[j]
        for _ in range(steps):
            value = r * value * (1.0 - value)
        out[j] = value
    return out


@pytest.mark.parametrize(("steps", "lanes"), [(0, 0), (1, 0), (30, 1)])
def test_numbers_alone(steps: int, lanes: int) -> None:
    same(logistic, np.linspace(0.1, 0.9, 100), 3.7, steps, lanes=lanes)


def pairs(x, v, dt, steps):
    for j in range(x.shape[0]):
        place, speed, phase = x[j], v[j], 0.5
        for k in range(steps):
            speed -= dt * place * k
            place, phase = place + dt * speed, phase * 1.5
        x[j], v[j] = place, speed + phase


def test_several_numbers_one_of_which_begins_as_all_the_same() -> None:
    same(pairs, table(1, 70)[0], table(1, 70)[0], 0.01, 9)


def started(x, out):
    for j in range(out.shape[0]):
        total = x[0]
        for k in range(9):
            total = total - j * k
        out[j] = total * j


def test_sums_of_the_index() -> None:
    same(started, np.arange(3), np.zeros(33, np.int64), lanes=0)  # (too little in an iteration)
    same(started, np.arange(3.0), np.zeros(33))


def triangle(a, b, c):
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            for k in range(i):
                c[i, j] -= a[i, k] * b[k, j]


def test_bounds_by_an_outer_index() -> None:
    same(triangle, table(9, 9), table(9, 32), table(9, 32))


def convolved(x, w, out):
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            total = 0.0
            for p in range(w.shape[0]):
                for q in range(w.shape[1]):
                    total += x[i + p, j + q] * w[p, q]
            out[i, j] = total


def test_loops_in_loops() -> None:
    same(convolved, table(14, 60), table(3, 12), table(12, 49), lanes=1)


def others(x, y, out):
    for j in range(out.shape[1]):
        for i in range(x.shape[0]):
            out[0, j] += x[i, j]
        for i in range(y.shape[0]):
            out[1, j] += y[i, j] * out[0, j]
        out[2, j] = out[1, j] - 1


def test_one_loop_after_the_other() -> None:
    same(others, table(7, 64), table(9, 64), table(3, 64))
    same(others, table(3, 64), table(9, 64), table(3, 64))  # (One of them is short.)


def distances(x, out):
    for i in range(x.shape[0]):
        for j in range(x.shape[0]):
            total = 0.0
            for k in range(x.shape[1]):
                between = x[i, k] - x[j, k]
                total += between * between
            out[i, j] = np.sqrt(total)


def repeated(a, x):
    for _ in range(20):
        y = np.zeros(a.shape[0])
        for i in range(a.shape[0]):
            for j in range(a.shape[1]):
                y[i] += a[i, j] * x[j]
        x = y / np.abs(y).max()
    return x


def of_a_view(x, y, out):
    for i in range(y.shape[0]):
        for j in range(out.shape[1]):
            for k in range(x.shape[1]):
                out[i, j] -= x.T[k, j] * y[i, k] + x[j, k]


@pytest.mark.parametrize("m", [1, 9, 33])
@pytest.mark.parametrize("n", [16, 300])
def test_arrays_that_are_read_the_other_way(n: int, m: int) -> None:
    same(distances, table(n, m), table(n, n), lanes=0 if m == 1 else 2 if n > 256 else 1)
    same(repeated, table(n, n), table(1, n)[0], lanes=2 if n > 256 else 1)
    same(of_a_view, table(n, m), table(9, m), table(9, n), lanes=0 if m == 1 else 2 if n > 256 else 1)


def test_arrays_that_are_read_the_other_way_by_few() -> None:
    same(distances, table(300, 5)[:0], np.zeros((0, 0)), lanes=0)
    same(of_a_view, table(40, 9), table(4, 9), table(4, 40), lanes=0)  # (The copy would cost as much.)
    x = np.asfortranarray(table(40, 9))
    same(distances, x, np.asfortranarray(table(40, 40)))
    same(distances, np.arange(360).reshape(40, 9) % 17, table(40, 40))


def both_ways(x, out):
    for i in range(x.shape[0]):
        for j in range(out.shape[1]):
            for k in range(x.shape[1]):
                out[i, j] += min(x[i, k] - x[j, k], x.T[k, j])


def test_an_array_and_the_same_turned() -> None:
    same(both_ways, table(40, 9), table(40, 40))


def once(x, out):
    for j in range(x.shape[0]):
        for k in range(x.shape[1]):
            out[j] += x[j, k]


def written(x, out):
    for i in range(9):
        for j in range(x.shape[0]):
            for k in range(x.shape[1]):
                out[j] += x[j, k]
        x[:, i] = out


def decided(x, out):
    for j in range(x.shape[1]):
        for i in range(x.shape[0]):
            if x[i, j] > 0:
                out[j] += x[i, j]


def bounded(x, out):
    for j in range(x.shape[1]):
        for i in range(j % 3):
            out[j] += x[i, j]


def ended(x, out):
    for j in range(x.shape[1]):
        i = 0
        while i < x.shape[0] and x[i, j] > -5:
            out[j] += x[i, j]
            i += 1


def followed(x, out):
    for j in range(1, x.shape[1]):
        for i in range(x.shape[0]):
            out[j] += x[i, j] * out[j - 1]


def turned(x, out):
    for j in range(x.shape[0]):
        for i in range(x.shape[1]):
            out[j] += x.T[i, j]


@pytest.mark.parametrize("program", [once, written, decided, bounded, ended, followed, turned])
def test_loops_that_stay(program: Any) -> None:
    same(program, table(40, 40), table(1, 40)[0], lanes=0)


@pytest.mark.parametrize("threads", [1, 2])
def test_threads(threads: int) -> None:
    before = native_threads.threads()
    native_threads.set_threads(threads)
    try:
        same(moments, table(400, 2000), table(1, 2000)[0], table(1, 2000)[0], lanes=4)
    finally:
        native_threads.set_threads(before)


@pytest.mark.parametrize("most", [3, 8])
@pytest.mark.parametrize("seed", range(12))
def test_random_nests(seed: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_blocks, "_LEAST_AROUND", 2)
    monkeypatch.setattr(lane_blocks, "_MOST_AROUND", most)
    monkeypatch.setattr(lane_blocks, "_SHORT", 0)
    monkeypatch.setattr(lanes, "_REPEATED", 2)
    random = Random(seed)
    source, given = random_nests.text(random), random_nests.arguments(random)
    function = define(source)
    accelerated: Any = lazyarr.accelerate(function)
    with np.errstate(all="ignore"):
        for _ in range(2):
            plain, own = [x.copy(order="K") for x in given], [x.copy(order="K") for x in given]
            expected, got = function(*plain), accelerated(*own)
            assert type(expected) is type(got), source
            for x, y in zip(plain, own, strict=True):
                assert x.dtype == y.dtype and np.array_equal(x, y, equal_nan=True), source
    forget(function)
