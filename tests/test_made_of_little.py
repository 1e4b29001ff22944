"""Large values that are made of small arrays: each rank computes its part, and all of it where somebody wants that."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lazyarr import communication
from lazyarr.backends.numpy import interpret
from lazyarr.ir.layout import is_whole
from lazyarr.passes.insert_communication import decide
from tests.ranks import distributed
from tests.test_ranks import captured

N = 60


def kernel(x: Any, y: Any) -> Any:
    return np.exp(-((x[:, None] - y[None, :]) ** 2)).sum(axis=1)


def table(x: Any, y: Any) -> Any:
    a, b = np.meshgrid(x, y)
    return np.sqrt(a * a + b * b) + np.outer(y, x) + np.eye(60)


def determinant(x: Any, y: Any) -> Any:
    a = 60 * np.eye(60) + np.outer(x, y)
    return np.linalg.inv(a) * 2, np.linalg.det(a)


def both(x: Any, y: Any) -> Any:
    a = np.outer(x, y) + 1
    return a.sum(), np.linalg.inv(a + 60 * np.eye(60)), a[1:] - a[:-1]


def conjugate_gradients(b: Any, v: Any) -> Any:
    a = 60 * np.eye(60) + np.outer(v, v)
    x = np.zeros_like(b)
    r = b - a @ x
    p = r.copy()
    rs = r @ r
    for _ in range(5):
        ap = a @ p
        alpha = rs / (p @ ap)
        x += alpha * p
        r -= alpha * ap
        new = r @ r
        p = r + (new / rs) * p
        rs = new
    return x


def transformed(x: Any, y: Any) -> Any:
    """Transforms go along the axis in which what they give is larger than what they are given."""
    table = np.outer(y[:16], x[:60])
    along, across = np.fft.irfft(table, 90, axis=1), np.fft.irfft(table, 30, axis=0)
    return (np.fft.irfft(table.reshape(-1), 1600) ** 2).sum(), (along**2).sum(axis=0), (across**2).sum(axis=0)


@pytest.mark.parametrize("grid", [(2,), (3,), (2, 2)])
@pytest.mark.parametrize("function", [kernel, table, determinant, both, conjugate_gradients, transformed])
def test_results_are_those_of_one_rank(function: Any, grid: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    program, arguments = captured(function, rng.random(N), rng.random(N))
    wanted = interpret(program.graph, arguments)
    for gathered in (None, ()):
        found, locals, _ = distributed(program, arguments, grid, interpret, least=1000, gathered=gathered)
        if gathered is None:
            for rank in found:
                for have, want in zip(rank, wanted, strict=False):
                    np.testing.assert_allclose(have, want, rtol=1e-9, atol=1e-12)
        else:
            sizes = [sum(v.type.size for v in local.program.graph.results[: len(wanted)]) for local in locals]
            large = [np.size(x) for x in wanted if np.size(x) >= 1000]
            # (Results of LAPACK's are whole, and transforms of small vectors.)
            assert function in (determinant, transformed) or not large or max(sizes) < sum(map(np.size, wanted))


def plan(function: Any, ranks: int) -> communication.Plan:
    rng = np.random.default_rng(0)
    program, _ = captured(function, rng.random(N), rng.random(N))
    return communication.plan(program, (ranks,), 1000)


@pytest.mark.parametrize("ranks", [2, 3, 8])
def test_nothing_large_is_sent(ranks: int) -> None:
    assert plan(table, ranks).messages == 0
    assert plan(kernel, ranks).messages == 0
    # What somebody wants whole every rank computes, as it would if it were not split.
    assert plan(determinant, ranks).messages == 0
    assert plan(both, ranks).bytes <= 8 + 2 * 8 * N
    # Vectors are gathered in a loop, never the matrix.
    assert plan(conjugate_gradients, ranks).bytes < 8 * N * 2 * 6 * ranks


def test_a_rank_needs_its_part_of_the_memory() -> None:
    assert plan(table, 8).memory < plan(table, 2).memory / 2
    rng = np.random.default_rng(0)
    program, _ = captured(table, rng.random(N), rng.random(N))
    layouts = decide(program, (4,), 1000, {}).layouts
    large = [layout for value, layout in layouts.of.items() if value.type.size == N * N]
    assert large
    assert not any(map(is_whole, large))
