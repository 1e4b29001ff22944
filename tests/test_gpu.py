"""The same programs on a GPU, where jax has one."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

from tests.acceleration import check, programs
from tests.random_regions import seeded
from tests.test_native import arguments
from tests.test_xla_loops import agrees

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(jax.default_backend() != "gpu", reason="jax finds no GPU (its default back end is the CPU)"),
]


def test_a_stencil_with_in_place_writes() -> None:
    def function(u: Any, c: float) -> Any:
        for _ in range(3):
            u[1:-1, 1:-1] += c * (u[2:, 1:-1] + u[:-2, 1:-1] - 2 * u[1:-1, 1:-1])
        return u.sum(axis=0), u.max()

    assert programs(check(function, lambda k: (np.arange(48.0).reshape(6, 8) ** 2 + k, 0.1))) == 1


def test_indexing_sorting_and_linear_algebra() -> None:
    def function(a: Any, i: Any) -> Any:
        b = np.sort(a[i], axis=1)
        return b, np.linalg.solve(a @ a.T + 10 * np.eye(a.shape[0]), b), np.fft.rfft(b)

    check(function, lambda k: (np.cos(np.arange(36.0)).reshape(6, 6) + k, np.array([5, 0, 3, 3, 1, -1])))


def test_loops_branches_and_run_time_lengths() -> None:
    def function(A: Any, x: Any, tolerance: float) -> Any:
        n, steps = A.shape[0], 0
        for i in range(n):
            for j in range(i):
                A[i, j] = (A[i, j] - A[i, :j] @ A[:j, j]) / A[j, j]
            A[i, i:] -= A[i, :i] @ A[:i, i:]
        while x.max() > tolerance and steps < 50:
            x[1:-1] = 0.5 * (x[:-2] + x[2:])
            if steps % 2 == 0:
                x[0] *= 0.75
            else:
                x[:steps][::-1] *= 0.5
            steps += 1
        return steps, np.sort(x[x > tolerance / 2])

    matrix = np.cos(np.arange(36.0)).reshape(6, 6) + 8 * np.eye(6)
    accelerated = check(function, lambda k: (matrix + k, np.arange(9.0) + k, 0.5))
    regions = accelerated.explain(matrix.copy(), np.arange(9.0), 0.5).regions
    assert [region.backend for region in regions] == ["xla"]


def test_an_index_out_of_range_is_pythons_error() -> None:
    def function(x: Any, n: int) -> Any:
        for i in range(n):
            x[i] += 1
        return x.sum()

    accelerated = check(function, lambda k: (np.arange(5.0), 5))
    with pytest.raises(IndexError, match="index 5 is out of bounds"):
        accelerated(np.arange(5.0), 6)


@pytest.mark.parametrize("seed", range(10))
def test_random_graphs_with_regions(seed: int) -> None:
    graph = seeded(seed, steps=12)
    agrees(graph, arguments(graph, seed))
