"""The heat equation in a box with the explicit scheme and two arrays, each the other's source in turn.

(Strikwerda, Finite Difference Schemes and Partial Differential Equations, 7.3.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (6, 3), "bench": (48, 50)}
CHANGED = (0, 1)


def make(size):
    n, steps = size
    u = np.random.default_rng(5).random((n, n, n))
    return u, u.copy(), 0.125, steps


def laplacian(u):
    return (
        u[:-2, 1:-1, 1:-1] + u[2:, 1:-1, 1:-1]
        + u[1:-1, :-2, 1:-1] + u[1:-1, 2:, 1:-1]
        + u[1:-1, 1:-1, :-2] + u[1:-1, 1:-1, 2:]
        - 6.0 * u[1:-1, 1:-1, 1:-1]
    )  # fmt: skip


def run(u, v, r, steps):
    for _ in range(steps):
        v[1:-1, 1:-1, 1:-1] = u[1:-1, 1:-1, 1:-1] + r * laplacian(u)
        u[1:-1, 1:-1, 1:-1] = v[1:-1, 1:-1, 1:-1] + r * laplacian(v)
