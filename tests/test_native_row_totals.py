"""Several reductions of the rows of one array are one pass over it, with the bits of each alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from lazyarr.backends import native_nests
from tests.bits import assert_same_bits

Array = np.ndarray[Any, Any]


def extremes(x: Array) -> Any:
    return x.min(axis=1), x.max(axis=1), x.argmax(axis=1), x.argmin(axis=-1)


def statistics(x: Array) -> Any:
    low, high = x.min(axis=-1), x.max(axis=-1)
    return low, high, high * 2, x.mean(axis=-1), x.sum(axis=-1, keepdims=True), x.any(axis=-1), x.all(axis=-1)


def further(x: Array) -> Any:
    top = x.max(axis=1)
    y = x - top[:, None]
    return x.sum(axis=1), y.min(axis=1), y.sum(axis=1), top


def changed(x: Array) -> Any:
    first = x.sum(axis=1)
    x[:, 0] = first
    return first, x.sum(axis=1), x.max(axis=1)


def repeated(x: Array) -> Any:
    out = np.zeros((4, x.shape[0]))
    for k in range(2):
        out[2 * k] = x.max(axis=1) - k
        out[2 * k + 1] = x.sum(axis=1) + k
        x = x * 0.5
    return out


def _check(function: Callable[[Array], Any], x: Array) -> None:
    mine, other = x.copy(), x.copy()
    want, got = function(mine), accelerate(function, strict=True)(other)
    want, got = (want, got) if isinstance(want, tuple) else ((want,), (got,))
    for w, g in zip(want, got, strict=True):
        assert w.dtype == g.dtype and w.shape == g.shape
    assert_same_bits(list(want), list(got))
    assert_same_bits([mine], [other])


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "i4", "u1", "?"])
@pytest.mark.parametrize("shape", [(500, 100), (37, 1000), (9, 7, 333), (1000, 17), (3, 20000)])
def test_of_rows(shape: tuple[int, ...], dtype: str) -> None:
    x = (np.random.default_rng(shape[0]).standard_normal(shape) * 50).astype(dtype)
    functions = (statistics,) if len(shape) > 2 else (extremes, statistics)
    for function in functions:
        _check(function, x)


@pytest.mark.parametrize("function", [further, changed, repeated])
def test_results_that_are_used(function: Callable[[Array], Any]) -> None:
    _check(function, np.random.default_rng(5).standard_normal((300, 129)))


def test_rows_with_nan() -> None:
    x = np.random.default_rng(6).standard_normal((400, 65))
    x[::3, 7], x[5], x[8, :2] = np.nan, np.nan, [np.inf, -np.inf]
    for function in (extremes, further):
        _check(function, x)


def test_windows_and_turned_arrays() -> None:
    x = np.random.default_rng(7).standard_normal((300, 200))
    _check(lambda x: extremes(x[::2, 3:-1]), x)
    _check(lambda x: extremes(x.T), x)
    _check(lambda x: statistics(x[:, ::-1]), x)


def test_they_are_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[float] = []
    spread = native_nests.spread

    def counted(c: Any, shape: Any, bounds: Any, source: Any, buffers: Any, inner: float = 1.0, **kwargs: Any) -> Any:
        passes.append(inner)
        return spread(c, shape, bounds, source, buffers, inner, **kwargs)

    monkeypatch.setattr(native_nests, "spread", counted)
    x = np.random.default_rng(8).random((4001, 100))
    accelerate(lambda x: (x.min(axis=1), x.max(axis=1), x.argmax(axis=1)), strict=True)(x)
    assert passes == [300.0]
