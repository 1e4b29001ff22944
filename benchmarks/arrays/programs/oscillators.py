"""A step of the leapfrog method for independent oscillators with a cubic term, in place."""

from __future__ import annotations

import numpy as np

KIND, MOST, PASSES, CHANGED = "fused element-wise", 10**8, 1, (0, 1)


def make(n):
    rng = np.random.default_rng(3)
    return rng.uniform(-1.0, 1.0, n), rng.uniform(-1.0, 1.0, n), 0.05


def run(x, v, dt):
    v -= 0.5 * dt * (x + 0.1 * x * x * x)
    x += dt * v
    v -= 0.5 * dt * (x + 0.1 * x * x * x)
