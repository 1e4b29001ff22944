"""Ten sweeps of the heat equation on a square, in place."""

from __future__ import annotations

import numpy as np

KIND, MOST, PASSES, CHANGED = "stencil", 10**8, 10, (0,)
ALSO = (16 * 10**6,)


def make(n):
    side = max(round(n**0.5), 3)
    return np.random.default_rng(10).random((side, side)), 0.2


def run(u, alpha):
    for _ in range(10):
        u[1:-1, 1:-1] += alpha * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4.0 * u[1:-1, 1:-1])
