"""Ten sweeps of the heat equation on a line, in place."""

from __future__ import annotations

import numpy as np

KIND, MOST, PASSES, CHANGED = "stencil", 10**8, 10, (0,)


def make(n):
    return np.random.default_rng(9).random(n), 0.2


def run(u, alpha):
    for _ in range(10):
        u[1:-1] += alpha * (u[2:] - 2.0 * u[1:-1] + u[:-2])
