"""The heat equation on a line with the explicit scheme, with a source that varies in time at one end.

u_i <- u_i + r (u_{i-1} - 2 u_i + u_{i+1}), r = dt / dx^2 below 1/2. (Strikwerda, Finite Difference Schemes and
Partial Differential Equations, 6.3.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (15, 6), "bench": (4_000, 5_000)}
CHANGED = (0,)


def make(size):
    n, steps = size
    return np.random.default_rng(3).random(n), 0.4, steps


def run(u, r, steps):
    for t in range(steps):
        u[0] = np.sin(0.01 * t)
        u[1:-1] += r * (u[:-2] - 2.0 * u[1:-1] + u[2:])
