"""Implicit vertical diffusion: a tridiagonal system for each column of a field (Thomas' algorithm along k).

(Press et al., Numerical Recipes, 2.4; forwards elimination and backwards substitution over whole levels.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (4, 5, 6), "bench": (128, 128, 120)}
CHANGED = (3,)


def make(size):
    rng = np.random.default_rng(54)
    a, c = 0.2 * rng.random(size), 0.2 * rng.random(size)
    return a, 1.0 + a + c, c, rng.random(size)


def run(a, b, c, d):
    levels = d.shape[2]
    upper = np.empty_like(d)
    upper[:, :, 0] = c[:, :, 0] / b[:, :, 0]
    d[:, :, 0] /= b[:, :, 0]
    for k in range(1, levels):
        pivot = b[:, :, k] - a[:, :, k] * upper[:, :, k - 1]
        upper[:, :, k] = c[:, :, k] / pivot
        d[:, :, k] = (d[:, :, k] - a[:, :, k] * d[:, :, k - 1]) / pivot
    for k in range(levels - 2, -1, -1):
        d[:, :, k] -= upper[:, :, k] * d[:, :, k + 1]
