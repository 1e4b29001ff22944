"""Laplace's equation by Jacobi iteration until the largest change is below a tolerance; gives the number of sweeps.

(Quarteroni, Sacco and Saleri, Numerical Mathematics, 4.6: stopping criteria.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (10, 1e-2), "bench": (96, 1.5e-4)}
CHANGED = (0,)


def make(size):
    n, tolerance = size
    u = np.zeros((n, n))
    u[0] = np.sin(np.pi * np.arange(n) / (n - 1))
    u[:, -1] = 0.5
    return u, tolerance


def run(u, tolerance):
    sweeps = 0
    change = tolerance + 1.0
    while change > tolerance:
        new = 0.25 * (u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:])
        change = np.abs(new - u[1:-1, 1:-1]).max()
        u[1:-1, 1:-1] = new
        sweeps += 1
    return sweeps, change
