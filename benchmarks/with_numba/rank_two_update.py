from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(a, u1, v1, u2, v2, x, y, w, z, alpha, beta):
    n = a.shape[0]
    total = np.zeros(n)
    for i in prange(n):
        row = a[i]
        for j in range(n):
            row[j] += u1[i] * v1[j] + u2[i] * v2[j]
        total += y[i] * row
    for j in range(n):
        x[j] += beta * total[j] + z[j]
    for i in prange(n):
        w[i] += alpha * np.dot(a[i], x)


run = njit(program)
run_parallel = njit(parallel=True)(program)
