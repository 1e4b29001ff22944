from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(data):
    n, m = data.shape
    standard = np.empty((m, n))
    for j in prange(m):
        column = data[:, j]
        mean, deviation = column.mean(), column.std()
        if deviation <= 1e-8:
            deviation = 1.0
        for i in range(n):
            standard[j, i] = (column[i] - mean) / (np.sqrt(n) * deviation)
    correlation = np.eye(m)
    for i in prange(m - 1):
        for j in range(i + 1, m):
            correlation[i, j] = np.dot(standard[i], standard[j])
            correlation[j, i] = correlation[i, j]
    return correlation


run = njit(program)
run_parallel = njit(parallel=True)(program)
