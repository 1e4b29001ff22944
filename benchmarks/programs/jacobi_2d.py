"""Laplace's equation on a square by Jacobi iteration, a fixed number of sweeps over one array.

Each sweep sets every interior point to the mean of its four neighbours, all taken from before the sweep. (LeVeque,
Finite Difference Methods for Ordinary and Partial Differential Equations, 4.1.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (9, 4), "bench": (256, 500)}
CHANGED = (0,)


def make(size):
    n, sweeps = size
    return np.random.default_rng(2).random((n, n)), sweeps


def run(u, sweeps):
    for _ in range(sweeps):
        u[1:-1, 1:-1] = 0.25 * (u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:])
