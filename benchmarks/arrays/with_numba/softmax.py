from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(x):
    out = np.empty_like(x)
    n, m = x.shape
    for i in prange(n):
        high = x[i, 0]
        for j in range(m):
            high = max(high, x[i, j])
        total = np.float32(0)
        for j in range(m):
            out[i, j] = np.exp(x[i, j] - high)
            total += out[i, j]
        for j in range(m):
            out[i, j] /= total
    return out


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
