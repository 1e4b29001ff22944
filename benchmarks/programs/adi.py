"""The heat equation by alternating directions: half a step implicit along columns, half along rows.

Peaceman and Rachford's splitting; each half step solves tridiagonal systems, all lines of the grid side by side.
(Press et al., Numerical Recipes, 20.3.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (7, 2), "bench": (120, 16)}
CHANGED = (0,)


def make(size):
    n, steps = size
    return np.random.default_rng(10).random((n, n)), 0.8, steps


def implicit_half_step(u, r):
    """Explicit along the columns (axis 1), implicit along the rows (axis 0); the border stays."""
    n = u.shape[0]
    new = u.copy()
    upper = np.zeros(n)
    right = np.zeros_like(u)
    right[0, 1:-1] = u[0, 1:-1]
    for i in range(1, n - 1):
        explicit = r * u[i, :-2] + (1.0 - 2.0 * r) * u[i, 1:-1] + r * u[i, 2:]
        pivot = 1.0 + 2.0 * r - r * upper[i - 1]
        upper[i] = r / pivot
        right[i, 1:-1] = (explicit + r * right[i - 1, 1:-1]) / pivot
    for i in range(n - 2, 0, -1):
        new[i, 1:-1] = right[i, 1:-1] + upper[i] * new[i + 1, 1:-1]
    return new


def run(u, r, steps):
    for _ in range(steps):
        half = implicit_half_step(u, 0.5 * r)
        u[:] = implicit_half_step(half.T, 0.5 * r).T
