"""Laplace's equation by Gauss-Seidel sweeps: each point takes the new values of the points before it.

(Saad, Iterative Methods for Sparse Linear Systems, 4.1.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (7, 3), "bench": (90, 10)}
CHANGED = (0,)


def make(size):
    n, sweeps = size
    return np.random.default_rng(7).random((n, n)), sweeps


def run(u, sweeps):
    n, m = u.shape
    for _ in range(sweeps):
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                u[i, j] = 0.25 * (u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1])
