from __future__ import annotations

import numpy as np
from numba import njit


def program(a, x, tolerance):
    old, value, steps = 0.0, 1.0, 0
    while abs(value - old) > tolerance:
        old = value
        x = np.dot(a, x)
        value = np.sqrt(np.dot(x, x))
        x /= value
        steps += 1
    return value, steps


run = njit(program)
