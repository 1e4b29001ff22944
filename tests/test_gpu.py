"""The same programs on a GPU, where jax has one."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

from tests.acceleration import check, programs

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
