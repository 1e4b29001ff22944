from __future__ import annotations

import numpy as np
from numba import njit


def program(a, x, steps):
    value = 0.0
    for _ in range(steps):
        y = np.dot(a, x)
        x = y / np.linalg.norm(y)
        value = np.dot(x, np.dot(a, x))
    return value, x


run = njit(program)
