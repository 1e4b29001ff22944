"""What masks select, in one pass over all that is selected: NumPy's values, in NumPy's order, to the bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr.backends import native_engine, native_extrema, native_selections
from lazyarr.backends.native import compile
from lazyarr.ir.graph import Graph, param
from lazyarr.ir.node import apply
from lazyarr.ir.op import lookup
from lazyarr.ir.types import ArrayType
from tests.bits import assert_same_bits

Array = np.ndarray[Any, Any]

DTYPES = ["f8", "f4", "c16", "c8", "i8", "i4", "i2", "i1", "u8", "b1"]
#: About the limits of groups and blocks.
LENGTHS = [1, 3, 4, 31, 32, 33, 64, 97, 1000]


def drawn(dtype: str, n: int, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    found = rng.integers(-100, 100, n) + (1j * rng.integers(-9, 9, n) if dtype[0] == "c" else 0.1)
    with np.errstate(all="ignore"):
        return found.astype(dtype) if dtype != "b1" else rng.random(n) < 0.5


def masks(n: int) -> list[Array]:
    rng = np.random.default_rng(n)
    runs = np.arange(n) // 45 % 2 == 0
    return [*(rng.random(n) < share for share in (-1.0, 0.05, 0.5, 0.95, 0.99, 2.0)), runs, ~runs]


def exact(shape: int | tuple[int, ...], seed: int) -> Array:
    """Numbers from 0 to 1 of which sums are exact: without a loop, masks may become selections of all elements."""
    found: Array = np.random.default_rng(seed).integers(0, 64, shape) / 64
    return found


def compare(function: Callable[..., Any], *calls: tuple[Any, ...]) -> None:
    """Call a function plainly and accelerated."""
    accelerated: Any = lazyarr.accelerate(strict=True)(function)
    for arguments in calls:
        plain, own = ([a.copy() if isinstance(a, np.ndarray) else a for a in arguments] for _ in range(2))
        with np.errstate(all="ignore"):
            expected, got = function(*plain), accelerated(*own)
        assert_same_bits(expected, got)
        assert_same_bits(plain, own)


def graph(dtype: str, n: int) -> Graph:
    """``x[mask], y[mask]``, ``x[mask]`` backwards and the positions."""
    x, y, mask = (param(k, ArrayType(np.dtype(t), (n,))) for k, t in enumerate((dtype, "f8", "b1")))
    total = apply(lookup("reduce"), apply(lookup("cast"), mask, dtype=np.dtype("i8")), kind="add", axes=(0,))
    at = apply(lookup("flatnonzero"), mask, total, bound=n)
    some, other = (apply(lookup("gather"), v, at, axes=(0,)) for v in (x, y))
    doubled = apply(lookup("add"), at, at)
    return Graph([x, y, mask], [some, other, doubled, total])


@pytest.mark.parametrize("vectors", [True, False])
@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_of_every_size_of_element(dtype: str, vectors: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not vectors:
        monkeypatch.setattr(native_engine, "has", lambda feature: False)
    for n in LENGTHS:
        made = graph(dtype, n)
        assert [len(one.gathers) for one in native_selections.find(made).values()] == [2]
        program = compile(made)
        assert ("permd" in program.text) == (vectors and native_engine.has("avx2"))
        for k, mask in enumerate(masks(n)):
            x, y = drawn(dtype, n, k), drawn("f8", n, k + 9)
            at = np.flatnonzero(mask)
            assert_same_bits(program([x, y, mask]), (x[mask], y[mask], at + at, np.asarray(len(at))))


def test_formulas_are_computed_where_they_are_selected() -> None:
    def chosen(x: Array, y: Array) -> tuple[Any, ...]:
        mask = (x > 0.2) & ~(y < 0.5)
        return (x * y + 1.0)[mask].sum(), (1j * x)[mask].mean(), y[::-1][mask].max(), np.flatnonzero(mask), mask.sum()

    compare(chosen, *((exact(n, k), exact(n, k + 1)) for k, n in enumerate((1000, 999, 64))))


def test_what_depends_on_the_number_selected_is_selected_later() -> None:
    def chosen(x: Array, y: Array) -> tuple[Any, ...]:
        mask = x > 0.5
        part = x[mask]
        shifted = y - len(part)
        return part.sum(), shifted[mask].sum(), (shifted * 2)[shifted > -len(part)].sum()

    compare(chosen, *((exact(500, k), np.arange(500.0)) for k in range(3)))


def test_masks_of_several_axes() -> None:
    def chosen(x: Array, y: Array) -> tuple[Any, ...]:
        mask = (x > 0.3) & (x < 0.6)
        return y[mask].mean(), (x + y)[mask], y[::-1][x > 0.5].sum(), mask.any(axis=0)

    compare(chosen, *((exact((40, 40), k), np.arange(1600.0).reshape(40, 40)) for k in range(2)))
    compare(chosen, (exact((70, 1), 7), np.arange(70.0).reshape(70, 1)[::-1]))


def test_lists_that_shrink_together() -> None:
    def shrink(z: Array, c: Array, steps: int) -> tuple[Any, ...]:
        at = np.arange(len(z))
        count = np.zeros(len(z), dtype=np.int64)
        for n in range(steps):
            z = z * z + c
            gone = np.abs(z) > 2.0
            count[at[gone]] = n + 1
            kept = ~gone
            z, c, at = z[kept], c[kept], at[kept]
        return count, z, c, at

    rng = np.random.default_rng(3)
    for n in (1, 50, 3000):
        c = rng.uniform(-2, 0.6, n) + 1j * rng.uniform(-1.2, 1.2, n)
        compare(shrink, (np.zeros(n, complex), c, 30), (c, c, 7))


# --- blocks that need not be looked at ---------------------------------------------------------------------


def rings(x: Array, r: Array, low: Any, width: Any, count: int) -> tuple[Any, ...]:
    sums, sizes = np.zeros(count), np.zeros(count, dtype=np.int64)
    for k in range(count):
        lo = low + k * width
        hi = lo + width
        part = x[(r >= lo) & (hi > r)]
        sums[k] = part.sum()
        sizes[k] = len(part)
    return sums, sizes


def distances(n: int, m: int) -> Array:
    return np.sqrt((np.arange(float(n)) - 9.3)[:, np.newaxis] ** 2 + (np.arange(float(m)) - 20.1) ** 2)


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each mask, whether extrema decide about blocks."""
    every: list[bool] = []
    decides = native_extrema._decides

    def noted(frame: Any, mask: Any) -> bool:
        every.append(decides(frame, mask))
        return every[-1]

    monkeypatch.setattr(native_extrema, "_decides", noted)
    return every


@pytest.mark.parametrize("dtype", ["f8", "f4", "i4", "u4", "i8"])
def test_rings(dtype: str, decided: list[bool]) -> None:
    r = distances(60, 70)
    x = np.random.default_rng(1).random(r.shape)
    low: Any = 0 if dtype[0] in "iu" else 0.0
    width: Any = 3 if dtype[0] in "iu" else 2.7
    compare(rings, (x, r.astype(dtype), low, width, 30), (x, r.astype(dtype)[::-1].copy(), low, width, 30))
    assert any(decided)


def test_nan_is_in_no_ring_and_hides_nothing(decided: list[bool]) -> None:
    r = distances(60, 70)
    x = np.random.default_rng(1).random(r.shape)
    for holes in (slice(0, 32), slice(5, 2000, 3), slice(0, None), slice(33, 34)):
        gaps = r.copy()
        gaps.flat[holes] = np.nan
        ends = gaps.copy()
        ends.flat[::7] = np.inf
        ends.flat[3::91] = -np.inf
        compare(rings, (x, gaps, 0.0, 2.7, 30), (x, ends, 0.0, np.inf, 5), (x, ends, np.nan, 1.0, 5),
                (x, ends, -np.inf, 1.0, 5))  # fmt: skip
    assert any(decided)


@pytest.mark.parametrize("n", [1024, 1025, 2047, 4000])
def test_every_comparison(n: int, decided: list[bool]) -> None:
    def several(x: Array, r: Array, count: int) -> tuple[Any, ...]:
        out = np.zeros((count, 7))
        for k in range(count):
            mid = 0.5 * k
            out[k, 0] = x[r <= mid].sum()
            out[k, 1] = x[r == mid].sum()
            out[k, 2] = x[(mid > r) | (r > mid + 3)].sum()
            out[k, 3] = x[(mid >= r) | (x > 0.5)].sum()
            out[k, 4] = x[(r > mid) & (x > 0.5)].sum()
            out[k, 5] = x[r != mid].sum()
            out[k, 6] = x[~(r < mid)].sum()
        return (out,)

    x = exact(n, n)
    compare(several, (x, np.arange(n) / 40.0, 20), (x, np.round(x * 10), 20))
    assert any(decided) and not all(decided)


def test_what_is_compared_changes_in_the_loop(decided: list[bool]) -> None:
    def moved(x: Array, r: Array, count: int) -> tuple[Any, ...]:
        out = np.zeros(count)
        for k in range(count):
            out[k] = x[(r >= k) & (r < k + 1)].sum()
            r += 0.25
        return (out,)

    r = distances(40, 40).reshape(-1)
    compare(moved, (np.random.default_rng(2).random(r.size), r, 20))
    assert not any(decided)


def test_loops_in_loops(decided: list[bool]) -> None:
    def nested(x: Array, r: Array, count: int) -> tuple[Any, ...]:
        out = np.zeros((count, count))
        for j in range(count):
            for k in range(count):
                if k != 3:
                    out[j, k] = (x * j)[(r >= k) & (r < k + 1)].sum()
            x[j] += 1.0
        return (out,)

    r = distances(40, 40).reshape(-1)
    compare(nested, (np.random.default_rng(2).random(r.size), r, 12))
    assert any(decided)
