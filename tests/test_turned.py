"""Arrays that are turned round stay split: what is computed of them is NumPy's, and nobody gathers them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lazyarr import communication
from tests.test_ranks import GRIDS, agree, captured


def elementwise(x: Any) -> Any:
    y = np.exp(-x[::-1]) * 2
    return y, y + x, y[::-1] - x, y.sum(), y.max(axis=-1), np.where(y > 1, y, x), y[::2], y[3:-4] ** 2


def beside(x: Any) -> Any:
    y = x[::-1] * 2
    padded = np.pad(y, ((1, 2), (0, 0)))
    return y[1:] - y[:-1], y[2:] + y[:-2] - 2 * y[1:-1], np.diff(y, axis=0), padded, np.roll(y, 3, 0)


def along(x: Any) -> Any:
    y = x[::-1] * 2
    shapes = y.ravel(), y.reshape(-1, 3)
    return np.cumsum(y, axis=0), np.sort(y, axis=0), y.argmax(axis=0), np.fft.fft(y, axis=0), *shapes


def products(x: Any) -> Any:
    y = x[::-1] + 1
    return y @ x.T, x.T @ y, y.T @ y, np.einsum("ij,ij->i", y, x), np.concatenate([y, x, y]), np.stack([y, x])


def written(x: Any) -> Any:
    y = x[::-1] + 1
    y[1:-1] += 0.25 * (y[2:] + y[:-2])
    y[5:9] = x[5:9]
    x[::-1] -= y
    return x, y, x[::-1]


def sweeps(x: Any) -> Any:
    y = x[::-1] * 2
    for _ in range(7):
        y[1:-1] += 0.25 * (y[2:] + y[:-2] - 2 * y[1:-1])
    return y, y[::-1] + x


def turned_in_a_loop(x: Any) -> Any:
    for _ in range(5):
        x = np.sqrt(abs(x[::-1] + x * 0.5))
    return x


def both_axes(x: Any) -> Any:
    y = x[::-1, ::-1] * 3
    return y, y[1:, 1:] - y[:-1, :-1], y.sum(axis=0), y.sum(axis=1)


FUNCTIONS = [elementwise, beside, along, products, written, sweeps, turned_in_a_loop, both_axes]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: str(f.__name__))
@pytest.mark.parametrize("grid", [*GRIDS, (5,)])
def test_numpys_results(function: Callable[..., Any], grid: tuple[int, ...]) -> None:
    for shape in ((24, 12), (23, 9)):
        program, arguments = captured(function, np.random.default_rng(1).random(shape))
        for split in ([0], []):
            agree(program.graph, arguments, grid, split)


@pytest.mark.parametrize("ranks", [2, 4])
def test_little_is_sent(ranks: int) -> None:
    x = np.random.default_rng(1).random((400, 30))

    def of_its_own(x: Any) -> Any:
        return np.exp(x[::-1]) * 2

    def ends(x: Any) -> Any:
        y = np.exp(x[::-1])
        return y[1:] - y[:-1]

    for function, most in ((of_its_own, 0), (ends, 2 * 30 * 8)):
        program, _ = captured(function, x)
        assert communication.plan(program, (ranks,), 1000).bytes <= most, function.__name__
