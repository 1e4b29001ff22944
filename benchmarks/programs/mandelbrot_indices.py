"""The Mandelbrot set on a list of points from which those that have escaped are taken out.

(Peitgen and Richter, The Beauty of Fractals: the escape-time algorithm, on shrinking index sets.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (8, 9, 6), "bench": (400, 400, 100)}


def make(size):
    n, m, steps = size
    return np.linspace(-2.25, 0.75, n), np.linspace(-1.25, 1.25, m), steps


def run(x, y, steps):
    iy, ix = np.mgrid[0 : len(y), 0 : len(x)]
    count = np.zeros((len(y), len(x)), dtype=np.int64)
    ix = ix.reshape(-1)
    iy = iy.reshape(-1)
    c = x[ix] + 1j * y[iy]
    z = np.zeros_like(c)
    for n in range(steps):
        if len(z) == 0:
            break
        z = z * z + c
        escaped = np.abs(z) > 2.0
        count[iy[escaped], ix[escaped]] = n + 1
        kept = ~escaped
        z, c = z[kept], c[kept]
        ix, iy = ix[kept], iy[kept]
    return count
