from __future__ import annotations

import numpy as np
from numba import njit


@njit
def lorenz(x, y, z):
    return 10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z


@njit
def run(y, h, steps):
    path = np.empty((steps + 1, 3))
    path[0] = y
    a, b, c = y
    for n in range(steps):
        a1, b1, c1 = lorenz(a, b, c)
        a2, b2, c2 = lorenz(a + 0.5 * h * a1, b + 0.5 * h * b1, c + 0.5 * h * c1)
        a3, b3, c3 = lorenz(a + 0.5 * h * a2, b + 0.5 * h * b2, c + 0.5 * h * c2)
        a4, b4, c4 = lorenz(a + h * a3, b + h * b3, c + h * c3)
        a = a + h / 6.0 * (a1 + 2.0 * a2 + 2.0 * a3 + a4)
        b = b + h / 6.0 * (b1 + 2.0 * b2 + 2.0 * b3 + b4)
        c = c + h / 6.0 * (c1 + 2.0 * c2 + 2.0 * c3 + c4)
        path[n + 1, 0], path[n + 1, 1], path[n + 1, 2] = a, b, c
    return path
