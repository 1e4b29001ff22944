from __future__ import annotations

import math

import numpy as np
from numba import njit, prange


def program(a, b):
    n, m, k = a.shape[0], b.shape[0], a.shape[1]
    out = np.empty((n, m))
    for i in prange(n):
        for j in range(m):
            total = 0.0
            for c in range(k):
                total += (a[i, c] - b[j, c]) ** 2
            out[i, j] = math.sqrt(total)
    return out


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
