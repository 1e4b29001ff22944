from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(data):
    n, m = data.shape
    for j in range(m):
        data[:, j] -= data[:, j].mean()
    transposed = np.ascontiguousarray(data.T)
    covariance = np.zeros((m, m))
    for i in prange(m):
        covariance[i, i:] = transposed[i:] @ transposed[i] / (n - 1.0)
    for i in range(m):
        for j in range(i):
            covariance[i, j] = covariance[j, i]
    return covariance


run = njit(program)
run_parallel = njit(parallel=True)(program)
