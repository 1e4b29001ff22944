"""Reductions that are one pass: NumPy's bits, and what is read once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr import accelerate
from lazyarr.backends.native_plan import Plan
from tests.acceleration import assert_same, compiled_programs
from tests.loop_checks import same


def statistics(x: Any, y: Any) -> Any:
    mean = x.mean()
    centred = x - mean
    square = centred * centred
    return mean, square.mean(), (square * centred).sum(), x.min(), np.abs(x - y).max(), (x > y).any(), (x > mean).sum()


def counts(x: Any, y: Any) -> Any:
    above = x > 1
    return np.count_nonzero(above), x[0], np.where(above, x - y, 0).sum(), (x < y).all(), np.maximum(x, y).min()


def kinds(x: Any, y: Any) -> Any:
    return x.sum(), x.max(), x.min(), (x + y).sum(), np.any(x), np.all(x), (x == y).sum()


def levels(x: Any, y: Any) -> Any:
    """Each needs the one before."""
    low = x.min()
    high = (x - low).max()
    scaled = (x - low) / (high + 1)
    return low, high, scaled.sum(), (scaled * y).sum(), scaled.max(), scaled


def written_between(x: Any, y: Any) -> Any:
    before = x.sum(), x.max()
    x[1:] += y[:-1]
    after = x.sum(), x.max(), (x - y).sum()
    x[:] = 0
    return before, after, x.sum(), (x - y).max()


def in_a_loop(x: Any, y: Any) -> Any:
    found = np.zeros((5, 3))
    for k in range(5):
        x = x * 0.5 + y
        found[k, 0] = x.sum()
        found[k, 1] = x.max()
        found[k, 2] = (x * x).sum()
    return found, x


def until(x: Any, y: Any) -> Any:
    count = 0
    while np.abs(x - y).max() > 1e-3 and x.sum() < 1e9:
        x = 0.5 * (x + y)
        count += 1
    return count, x


def matrices(x: Any, y: Any) -> Any:
    a, b = x[: x.size // 8 * 8].reshape(8, -1), y[: y.size // 8 * 8].reshape(8, -1)
    return a.sum(), (a * b).sum(), np.abs(a).max(), a[:, 1:].max(), (a[:, 1:] - b[:, :-1]).sum()


PROGRAMS = [statistics, counts, kinds, levels, written_between, in_a_loop, until, matrices]


@pytest.mark.parametrize("n", [512, 1025, 8200, 100_003])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_as_numpy(program: Any, n: int, threads: int) -> None:
    rng = np.random.default_rng(n)
    same(program, (rng.normal(1.0, 2.0, n), rng.random(n)))


@pytest.mark.parametrize("dtype", ["f4", "i8", "i2", "u1", "?", "c16"])
@pytest.mark.parametrize("program", [counts, kinds], ids=lambda f: f.__name__)
def test_dtypes(program: Any, dtype: str, threads: int) -> None:
    if program is counts and dtype in ("?", "c16"):
        program = kinds
    rng = np.random.default_rng(3)
    x, y = (rng.integers(0, 2 if dtype == "?" else 100, 40_001).astype(dtype) for _ in range(2))
    same(program, (x, y))


@pytest.mark.parametrize("place", [0, 127, 128, 5000, 8999])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_no_numbers(place: int, value: float, threads: int) -> None:
    x, y = np.random.default_rng(4).normal(size=(2, 9000))
    x[place] = value
    with np.errstate(all="ignore"):
        same(kinds, (x, y))
        same(levels, (x, y))


def test_views() -> None:
    x, y = np.random.default_rng(5).normal(size=(2, 4000))
    fast: Any = lazyarr.accelerate(kinds, strict=True)
    for a, b in ((x[::2], y[::2]), (x[::-1], y), (x, x), (x[:2000], x[1000:3000])):
        for _ in range(2):
            assert_same(kinds(a, b), fast(a, b))


def passes(function: Any, *args: Any) -> list[int]:
    """How many reductions each pass has."""
    fast: Any = lazyarr.accelerate(function, strict=True)
    fast(*args)
    (program,) = compiled_programs(fast)
    (region,) = (node.kw["body"] for node in program.plan.after.graph.nodes if node.op.name == "region")
    return sorted(len(group.members) for group in Plan(region, totals=True).totals.values())


def test_what_is_read_once() -> None:
    x, y = np.random.default_rng(6).normal(size=(2, 2000))
    assert passes(statistics, x, y) == [3, 4]
    assert passes(kinds, x, y) == [7]
    assert passes(levels, x, y) == [3]
    # What reads an array before it is written is not done with what reads it after.
    assert passes(written_between, x.copy(), y) == [2, 4]


def test_few_elements_and_what_has_nothing_in_common() -> None:
    def apart(x: Any, y: Any) -> Any:
        return x.sum(), y.sum()

    x, y = np.random.default_rng(6).normal(size=(2, 2000))
    assert passes(apart, x, y) == []
    assert passes(kinds, x[:100], y[:100]) == []


def test_parts_of_matrices_are_not_computed_again() -> None:
    def inside(x: Any, y: Any) -> Any:
        e = np.exp(x[1:-1, 1:-1])
        return e.sum(), (e * e).sum()

    x = np.random.default_rng(6).normal(size=(60, 70))
    assert passes(inside, x, x) == []
    same(inside, (x, x))


@pytest.mark.parametrize("shape", [(5000, 1), (1000, 1, 1), (1, 4000), (70, 1, 60), (5000,)])
def test_axes_of_length_one(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).standard_normal(shape)

    def several(a: Any) -> Any:
        return (a > 0).sum(), (a > 0).any(), a.max(), (a < -100).any(), np.count_nonzero(a > 1), a.min()

    for _ in range(2):
        assert accelerate(several, strict=True)(x) == several(x)
    flags = x > 0
    assert accelerate(lambda b: (b.sum(), b.max(), b.any(), b.mean()))(flags) == (
        flags.sum(), flags.max(), flags.any(), flags.mean())  # fmt: skip
