"""The Mandelbrot set point by point: a while loop for each.

(Peitgen and Richter, The Beauty of Fractals: the escape-time algorithm.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (5, 6, 8), "bench": (120, 100, 150)}


def make(size):
    n, m, steps = size
    return np.linspace(-2.25, 0.75, n), np.linspace(-1.25, 1.25, m), steps


def escape_time(c, steps):
    z = 0j
    n = 0
    while n < steps and abs(z) <= 2.0:
        z = z * z + c
        n += 1
    return n


def run(x, y, steps):
    count = np.zeros((len(y), len(x)), dtype=np.int64)
    for i in range(len(y)):
        for j in range(len(x)):
            count[i, j] = escape_time(complex(x[j], y[i]), steps)
    return count
