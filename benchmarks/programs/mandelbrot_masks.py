"""The Mandelbrot set: the number of steps until |z| > 2, on the whole grid with a mask of the points still inside.

(Peitgen and Richter, The Beauty of Fractals: the escape-time algorithm.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (8, 9, 6), "bench": (300, 300, 80)}


def make(size):
    n, m, steps = size
    return np.linspace(-2.25, 0.75, n), np.linspace(-1.25, 1.25, m), steps


def run(x, y, steps):
    c = x + 1j * y[:, np.newaxis]
    z = np.zeros(c.shape, dtype=np.complex128)
    count = np.zeros(c.shape, dtype=np.int64)
    for n in range(steps):
        inside = np.abs(z) < 2.0
        count[inside] = n
        z[inside] = z[inside] ** 2 + c[inside]
    count[count == steps - 1] = 0
    return count
