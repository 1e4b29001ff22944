"""Windows that slide over arrays, fitted polynomials and least squares: parts of one program."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import lazyarr
import lazyarr.numpy as lnp
from tests.acceleration import assert_same, check
from tests.loop_checks import Array, noise, same

sliding = np.lib.stride_tricks.sliding_window_view


@pytest.mark.parametrize("width", [1, 3, 9, 20, 80, 100])
def test_statistics_of_windows(width: int) -> None:
    def moving(x: Array) -> Any:
        windows = sliding(x, width)
        return windows.mean(axis=1), windows.max(axis=-1), windows.shape, (windows * np.arange(width)).sum(axis=1)

    for x in (noise(100), noise(100, dtype=np.float32), noise(100, dtype=int)):
        same(moving, (x,), (x[::-1],))


def test_windows_along_several_axes() -> None:
    def moving(x: Array) -> Any:
        planes, columns = sliding(x, (2, 3)), sliding(x, 4, axis=0)
        twice = sliding(x, (2, 2), axis=(1, 1))
        return planes.sum(axis=(2, 3)), columns[1:, ::2, -1], columns.max(axis=-1), twice.min(axis=(-1, -2)), planes * 1

    same(moving, (noise(7, 9),), (noise(9, 7).T,))


def test_windows_see_what_is_written_to_the_array() -> None:
    def smooth(x: Array, n: int) -> Any:
        windows = sliding(x, 3)
        for _ in range(n):
            x[1:-1] = windows.mean(axis=-1)
        return windows[0].copy(), windows.sum()

    same(smooth, (noise(12), 9))


def test_views_of_windows_are_the_callers_memory_and_read_only() -> None:
    @lazyarr.accelerate(always=True)
    def view(x: Array) -> Any:
        return sliding(x, 3)

    x = noise(9)
    for _ in range(3):
        found = view(x)
        assert_same(sliding(x, 3).copy(), found.copy())
        assert np.shares_memory(found, x) and not found.flags.writeable

    @lazyarr.accelerate
    def write(x: Array) -> Any:
        windows = sliding(x, 3)
        windows[0] = 1
        return x

    with pytest.raises(ValueError, match="read-only"):
        write(x)


@pytest.mark.parametrize(("shape", "axis"), [(10, None), (-1, None), ((2, 2), None), (3, 4), ((2, 2), 0)])
def test_windows_that_do_not_fit(shape: Any, axis: Any) -> None:
    with pytest.raises(Exception) as expected:
        sliding(noise(9), shape, axis)
    with pytest.raises(type(expected.value)) as got:
        lazyarr.accelerate(lambda x: sliding(x, shape, axis).sum())(noise(9))
    assert str(got.value) == str(expected.value)


def test_windows_of_lazy_arrays() -> None:
    x = noise(30)
    found: Any = sliding(lazyarr.numpy.asarray(x), 4)
    assert_same(sliding(x, 4).std(axis=1), np.array(found.std(axis=1)))


def test_a_fitted_polynomial() -> None:
    def fit(x: Array, y: Array, w: Array, z: Array) -> Any:
        line = np.polyfit(x, y, 1, w=w)
        parabola = np.polyfit(x, y, 2)
        return line, parabola, np.polyval(parabola, x), np.polyfit(x, z, 3)

    given = noise(40), noise(40, seed=1), np.abs(noise(40, seed=2)) + 0.1, noise(40, 2)
    same(fit, given, (given[0].astype(np.float32), *given[1:]))
    same(fit, (noise(40, dtype=int), *given[1:]))


def test_points_that_do_not_determine_a_polynomial() -> None:
    def fit(x: Array, y: Array) -> Any:
        return np.polyfit(x, y, 2) * 2

    accelerated: Any = lazyarr.accelerate(fit, always=True)
    for x in (noise(9), np.ones(9), noise(9)):
        with warnings.catch_warnings(record=True) as expected:
            warnings.simplefilter("always")
            plain = fit(x, noise(9, seed=1))
        with warnings.catch_warnings(record=True) as got:
            warnings.simplefilter("always")
            assert_same(plain, accelerated(x, noise(9, seed=1)))
        wanted = [w.category for w in expected if issubclass(w.category, np.exceptions.RankWarning)]
        assert wanted == [w.category for w in got if issubclass(w.category, np.exceptions.RankWarning)]


def test_least_squares() -> None:
    def solve(a: Array, b: Array) -> Any:
        x, residuals, rank, singular = np.linalg.lstsq(a, b, rcond=None)
        return x * 2, residuals, rank, singular

    same(solve, (noise(9, 3), noise(9)), (noise(9, 3), noise(9, 2)))
    for a in (np.ones((9, 3)), noise(3, 9), noise(4, 4)):
        check(solve, lambda k, a=a: (a.copy(), noise(len(a), seed=k)))  # type: ignore[misc]


@pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")
def test_windows_that_are_written_to() -> None:
    """Each element stands in several windows: Python runs such a function, and elsewhere a write is an error."""

    def written(x: Any) -> Any:
        v = np.lib.stride_tricks.sliding_window_view(x, 3, writeable=True)
        v[0, 1] = 50
        return v[1].sum()

    x, y = np.arange(6.0), np.arange(6.0)
    assert lazyarr.accelerate(written, always=True)(x) == written(y)
    assert np.array_equal(x, y)
    lazy = lnp.lib.stride_tricks.sliding_window_view(lnp.arange(6.0), 3, writeable=True)
    assert float(lazy[1].sum()) == 6.0
    with pytest.raises(ValueError, match="read-only"):
        lazy[0, 1] = 50
