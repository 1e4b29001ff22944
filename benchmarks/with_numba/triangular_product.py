from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(lower, b, alpha):
    m, n = b.shape
    upper = np.ascontiguousarray(lower.T)
    for j in prange(n):
        column = b[:, j].copy()
        for i in range(m):
            b[i, j] = alpha * (column[i] + np.dot(upper[i, i + 1 :], column[i + 1 :]))


run = njit(program)
run_parallel = njit(parallel=True)(program)
