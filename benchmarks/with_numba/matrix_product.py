from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(a, b):
    c = np.zeros((a.shape[0], b.shape[1]))
    for i in prange(a.shape[0]):
        for j in range(b.shape[1]):
            for k in range(a.shape[1]):
                c[i, j] += a[i, k] * b[k, j]
    return c


run = njit(program)
run_parallel = njit(parallel=True)(program)
