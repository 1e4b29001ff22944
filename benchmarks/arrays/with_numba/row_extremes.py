from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(x):
    n, m = x.shape
    low, high, mean, place = np.empty(n), np.empty(n), np.empty(n), np.empty(n, np.int64)
    for i in prange(n):
        a, b, total, at = x[i, 0], x[i, 0], 0.0, 0
        for j in range(m):
            a = min(a, x[i, j])
            total += x[i, j]
            if x[i, j] > b:
                b, at = x[i, j], j
        low[i], high[i], mean[i], place[i] = a, b, total / m, at
    return low, high, high - low, mean, place


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
