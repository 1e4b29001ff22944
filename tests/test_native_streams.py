"""Writing past the caches: whole lines, whatever is left over on both sides, wherever the array begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from lazyarr.backends import native_streams
from lazyarr.plans import plans
from tests.bits import assert_same_bits

Array = np.ndarray[Any, Any]


@pytest.fixture(autouse=True)
def streamed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Small arrays are written so, too; and how many rows are."""
    found: list[int] = []
    row = native_streams.row

    def counted(*args: Any) -> None:
        found.append(1)
        row(*args)

    monkeypatch.setattr(native_streams, "row", counted)
    monkeypatch.setattr(native_streams, "_LARGE", 1)
    monkeypatch.setattr(native_streams, "_ROW", 1)
    plans.clear()
    return found


def _check(function: Callable[..., Any], *args: Any) -> None:
    fast = accelerate(function, always=True, strict=True)
    for _ in range(2):
        want_of, got_of = [x.copy() for x in args], [_like(x) for x in args]
        want, got = function(*want_of), fast(*got_of)
        assert_same_bits([*want_of, *_several(want)], [*got_of, *_several(got)])


def _like(x: Array) -> Array:
    """A copy that begins as far from a line's beginning as `x` does."""
    room = np.empty(x.nbytes + 256, np.uint8)
    begin = (x.ctypes.data - room.ctypes.data) % 64
    y = room[begin : begin + x.nbytes].view(x.dtype).reshape(x.shape)
    y[...] = x
    return y


def _several(x: Any) -> list[Any]:
    return list(x) if isinstance(x, tuple) else [] if x is None else [x]


def line(x: Array, y: Array) -> Any:
    return x + y, x * 2 - y


def written(x: Array, y: Array) -> None:
    y[1:-1] = x[2:] - x[:-2]


def plane(x: Array, y: Array) -> Any:
    y[1:-1, 2:] = x[2:, 2:] + x[:-2, 1:-1]
    return x[:, 1:] * 3


@pytest.mark.parametrize("dtype", ["f8", "f4", "i2", "u1", "?", "c16", "c8"])
@pytest.mark.parametrize("size", [3, 63, 64, 65, 509, 1000, 4097, 20011])
def test_lines(size: int, dtype: str, streamed: list[int]) -> None:
    rng = np.random.default_rng(size)
    x, y = (rng.integers(0, 2 if dtype == "?" else 9, size).astype(dtype) for _ in range(2))
    if dtype == "?":
        _check(lambda x, y: (x & y, x | ~y), x, y)
    else:
        _check(line, x, y)
    assert streamed


@pytest.mark.parametrize("begin", range(0, 9))
def test_arrays_of_the_caller(begin: int, streamed: list[int]) -> None:
    rng = np.random.default_rng(begin)
    x, room = rng.random(2000), rng.random(2064)
    _check(written, x, room[begin : begin + 2000])
    assert streamed


@pytest.mark.parametrize("shape", [(3, 5), (10, 700), (33, 129), (200, 64)])
def test_rows(shape: tuple[int, int], streamed: list[int]) -> None:
    rng = np.random.default_rng(shape[1])
    _check(plane, rng.random(shape), rng.random(shape))
    assert streamed


def test_statements_that_are_done_together(streamed: list[int]) -> None:
    def several(x: Array, y: Array) -> Any:
        z = x * y
        return z, z + 1, np.sqrt(x) * z

    rng = np.random.default_rng(0)
    _check(several, rng.random(30001), rng.random(30001))
    assert streamed


def test_what_is_read_and_written_is_not(streamed: list[int]) -> None:
    def in_place(x: Array) -> None:
        x *= 2
        x[1:] += 1

    _check(in_place, np.arange(5000.0))
    assert not streamed


def test_many_runs_by_threads_have_the_same_bits(streamed: list[int], threads: int) -> None:
    x, y = np.random.default_rng(1).random((2, 300_007))
    fast = accelerate(line, always=True, strict=True)
    for k in range(50):
        want, got = line(x, y), fast(x, y)
        assert_same_bits(want, got)
        x[k * 5000] += 1
    assert streamed
