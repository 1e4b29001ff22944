"""Where extrema are, in native code: by vectors, by blocks on the stack, by tiles of columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazyarr
from tests.acceleration import check

DTYPES = ["f8", "f4", "i8", "u8", "i4", "u4", "i2", "u2", "i1", "u1", "?"]
#: Around the elements of a turn, of a block in memory, of one on the stack, of a tile.
LENGTHS = [1, 2, 7, 15, 16, 17, 31, 33, 127, 128, 129, 255, 513, 1000, 8191, 8192, 8193, 20_000]


def arrays(dtype: str, shape: tuple[int, ...], seed: int) -> list[np.ndarray[Any, Any]]:
    """Random ones, with many ties, all equal, rising, falling, with infinities, zeros of both signs, and NaN."""
    rng = np.random.default_rng(seed)
    n = int(np.prod(shape))
    kinds = [rng.normal(0, 40, n), rng.integers(0, 3, n), np.zeros(n), np.arange(n) % 120, -(np.arange(n) % 120)]
    if dtype[0] == "f":
        special = rng.normal(size=n)
        special[rng.integers(0, n, 1 + n // 3)] = np.inf
        special[rng.integers(0, n, 1 + n // 3)] = -np.inf
        kinds += [special, np.full(n, -np.inf), np.where(rng.random(n) < 0.5, 0.0, -0.0)]
        for where in (rng.integers(0, n, 2), [n - 1], [0], slice(None)):
            unknown = special.copy()
            unknown[where] = np.nan
            kinds.append(unknown)
    return [kind.astype(dtype).reshape(shape) for kind in kinds]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("length", LENGTHS)
def test_one_axis(dtype: str, length: int) -> None:
    functions: list[Any] = [lambda x: (x.argmax(), x.argmin()), lambda x: (x[::-1].argmax(), x[::-1].argmin())]
    if dtype != "?":
        functions.append(lambda x: ((x + x).argmax(), (x + x).argmin()))
    for function in functions:
        accelerated = lazyarr.accelerate(function)
        with np.errstate(all="ignore"):
            for x in arrays(dtype, (length,), length):
                assert accelerated(x) == function(x), x


@pytest.mark.parametrize("dtype", ["f8", "f4", "i4", "u1", "?"])
@pytest.mark.parametrize(
    "shape",
    [(1, 1), (3, 1), (1, 5), (5, 3), (37, 16), (40, 300), (300, 40), (3, 600), (2, 17, 33), (4, 3, 257), (2, 9000)],
)
def test_one_of_several_axes(dtype: str, shape: tuple[int, ...]) -> None:
    for axis in range(len(shape)):

        def function(x: Any, axis: int = axis) -> Any:
            return x.argmax(axis=axis), x.T.argmin(axis=axis)

        accelerated = lazyarr.accelerate(function)
        for x in arrays(dtype, shape, axis):
            for expected, found in zip(function(x), accelerated(x)):
                np.testing.assert_array_equal(found, expected)
                assert found.dtype == expected.dtype


def test_lengths_that_data_decides() -> None:
    def climb(x: Any, table: Any) -> Any:
        found = np.zeros((x.size, 3), dtype=int)
        for i in range(x.size):
            found[i, 0] = x[: i + 1].argmax()
            found[i, 1] = x[i:].argmin()
            found[i, 2] = (table[: i + 1] * x[i]).argmax(axis=0)[1]
        return found

    def make(k: int) -> tuple[Any, ...]:
        rng = np.random.default_rng(k)
        return rng.integers(0, 50, 700 + k).astype(float), rng.random((701, 3))

    check(climb, make)


def test_threads_share_rows_and_tiles() -> None:
    """Arrays so large that it is worth it."""

    def function(x: Any) -> Any:
        return x.argmax(axis=1), x.argmin(axis=0), (x * 2.0).argmax(axis=1)

    check(function, lambda k: (np.random.default_rng(k).random((700, 2000)),))


def test_no_elements() -> None:
    """NumPy's error where an axis is empty, an empty result where another one is."""

    @lazyarr.accelerate
    def function(x: Any) -> Any:
        return x.argmax(axis=1)

    assert function(np.zeros((0, 4))).shape == (0,)
    with pytest.raises(ValueError, match="attempt to get argmax of an empty sequence"):
        function(np.zeros((4, 0)))
