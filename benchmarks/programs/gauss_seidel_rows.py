"""A nine-point Gauss-Seidel sweep: the part of a row that needs no new neighbour at once, the rest point by point.

(The usual way to write a wavefront in array notation; Saad, Iterative Methods for Sparse Linear Systems, 4.1.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (8, 2), "bench": (120, 8)}
CHANGED = (0,)


def make(size):
    n, sweeps = size
    return np.random.default_rng(8).random((n, n)), sweeps


def run(u, sweeps):
    n = u.shape[0]
    for _ in range(sweeps):
        for i in range(1, n - 1):
            u[i, 1:-1] += (
                u[i - 1, :-2] + u[i - 1, 1:-1] + u[i - 1, 2:] + u[i, 2:] + u[i + 1, :-2] + u[i + 1, 1:-1] + u[i + 1, 2:]
            )
            for j in range(1, n - 1):
                u[i, j] += u[i, j - 1]
                u[i, j] /= 9.0
