from __future__ import annotations

import numpy as np
from numba import njit


def program(a, b, c, d):
    n = len(d)
    upper = np.zeros(n)
    x = np.zeros(n)
    pivot = b[0]
    x[0] = d[0] / pivot
    for i in range(1, n):
        upper[i] = c[i - 1] / pivot
        pivot = b[i] - a[i] * upper[i]
        x[i] = (d[i] - a[i] * x[i - 1]) / pivot
    for i in range(n - 2, -1, -1):
        x[i] -= upper[i + 1] * x[i + 1]
    return x


run = njit(program)
