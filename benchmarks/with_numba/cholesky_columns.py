from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(a):
    n = a.shape[0]
    factor = np.zeros_like(a)
    for k in range(n):
        pivot = a[k, k] - np.dot(factor[k, :k], factor[k, :k])
        root = np.sqrt(pivot)
        factor[k, k] = pivot / root
        for i in prange(k + 1, n):
            factor[i, k] = (a[i, k] - np.dot(factor[i, :k], factor[k, :k])) / root
    return factor


run = njit(program)
run_parallel = njit(parallel=True)(program)
