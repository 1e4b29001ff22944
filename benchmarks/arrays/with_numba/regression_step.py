from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(x, y, w, rate):
    n, m = x.shape
    blocks = 16
    sums, squares = np.zeros((blocks, m)), np.zeros(blocks)
    for b in prange(blocks):
        for i in range(b * n // blocks, (b + 1) * n // blocks):
            error = -y[i]
            for j in range(m):
                error += x[i, j] * w[j]
            for j in range(m):
                sums[b, j] += error * x[i, j]
            squares[b] += error * error
    return w - rate * sums.sum(axis=0) / n, squares.sum() / n


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
