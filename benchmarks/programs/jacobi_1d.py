"""Poisson's equation -u'' = f on a line, by Jacobi iteration with two arrays that swap.

Each sweep sets u_i to (u_{i-1} + u_{i+1} + h^2 f_i) / 2. (Saad, Iterative Methods for Sparse Linear Systems, 4.1.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (12, 5), "bench": (6_000, 5_000)}


def make(size):
    n, sweeps = size
    rng = np.random.default_rng(1)
    return rng.random(n), rng.random(n), 1.0 / (n - 1), sweeps


def run(u, f, h, sweeps):
    new = u.copy()
    u = u.copy()
    source = h * h * f[1:-1]
    for _ in range(sweeps):
        new[1:-1] = 0.5 * (u[:-2] + u[2:] + source)
        u, new = new, u
    return u
