from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(x):
    n, dimensions = x.shape
    out = np.zeros((n, n))
    for i in prange(n):
        for j in range(n):
            total = 0.0
            for k in range(dimensions):
                between = x[i, k] - x[j, k]
                total += between * between
            out[i, j] = np.sqrt(total)
    return out


run = njit(program)
run_parallel = njit(parallel=True)(program)
