from __future__ import annotations

import numpy as np
from numba import njit


def program(lower, x, b):
    for i in range(len(b)):
        x[i] = (b[i] - np.dot(lower[i, :i], x[:i])) / lower[i, i]


run = njit(program)
