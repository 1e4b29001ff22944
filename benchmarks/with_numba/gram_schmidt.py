from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(a):
    m, n = a.shape
    q = np.zeros((m, n))
    r = np.zeros((n, n))
    for k in range(n):
        s = 0.0
        for i in range(m):
            s += a[i, k] * a[i, k]
        r[k, k] = np.sqrt(s)
        for i in range(m):
            q[i, k] = a[i, k] / r[k, k]
        for j in prange(k + 1, n):
            s = 0.0
            for i in range(m):
                s += q[i, k] * a[i, j]
            r[k, j] = s
            for i in range(m):
                a[i, j] -= q[i, k] * s
    return q, r


run = njit(program)
run_parallel = njit(parallel=True)(program)
