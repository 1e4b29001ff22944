"""The mean of an image over rings about a point.

(The radial profile of a diffraction pattern; Als-Nielsen and McMorrow, Elements of Modern X-ray Physics, 5.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (9, 3), "bench": (400, 300)}


def make(size):
    n, rings = size
    rng = np.random.default_rng(63)
    x = np.arange(n) - 0.497 * n
    return rng.random((n, n)), np.sqrt(x[:, np.newaxis] ** 2 + x**2), rings


def run(data, radius, rings):
    limit = 1.001 * radius.max()
    out = np.zeros(rings)
    for i in range(rings):
        lo = limit * i / rings
        hi = limit * (i + 1) / rings
        ring = data[(radius >= lo) & (radius < hi)]
        out[i] = ring.mean()
    return out
