"""Energy and force over distance of pairs of atoms, from their squared distances, cut off at three diameters."""

from __future__ import annotations

import numpy as np

KIND, MOST, PASSES = "fused element-wise", 10**8, 1


def make(n):
    return np.random.default_rng(4).uniform(0.8, 12.0, n), 0.7, 1.1


def run(r2, epsilon, sigma):
    s2 = sigma * sigma / r2
    s6 = s2 * s2 * s2
    near = r2 < 9.0 * sigma * sigma
    energy = np.where(near, 4.0 * epsilon * (s6 * s6 - s6), 0.0)
    force = np.where(near, 24.0 * epsilon * (2.0 * s6 * s6 - s6) / r2, 0.0)
    return energy, force
