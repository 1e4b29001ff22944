"""Poisson's equation in a box by damped Jacobi iteration.

(Briggs, Henson and McCormick, A Multigrid Tutorial, chapter 2: weighted Jacobi, omega = 2/3 for one dimension,
6/7 for three.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (6, 3), "bench": (40, 100)}
CHANGED = (0,)


def make(size):
    n, sweeps = size
    rng = np.random.default_rng(6)
    return rng.random((n, n, n)), rng.random((n, n, n)), 6.0 / 7.0, sweeps


def run(u, f, omega, sweeps):
    inside = (slice(1, -1),) * 3
    for _ in range(sweeps):
        mean = (
            u[:-2, 1:-1, 1:-1] + u[2:, 1:-1, 1:-1] + u[1:-1, :-2, 1:-1]
            + u[1:-1, 2:, 1:-1] + u[1:-1, 1:-1, :-2] + u[1:-1, 1:-1, 2:] + f[inside]
        ) / 6.0  # fmt: skip
        u[inside] = (1.0 - omega) * u[inside] + omega * mean
