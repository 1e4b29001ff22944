from __future__ import annotations

import math

import numpy as np
from numba import njit


def program(x, y, weight):
    n, m = x.shape
    weighted = np.empty_like(x)
    for i in range(n):
        for j in range(m):
            weighted[i, j] = x[i, j] * weight[i]
    beta = np.linalg.solve(np.dot(weighted.T, x), np.dot(weighted.T, y))
    fitted = np.dot(x, beta)
    squares, total = 0.0, 0.0
    for i in range(n):
        squares += weight[i] * (y[i] - fitted[i]) ** 2
        total += weight[i]
    return beta, math.sqrt(squares / total)


run = njit(cache=True)(program)
