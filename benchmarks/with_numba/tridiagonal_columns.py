from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(a, b, c, d):
    nx, ny, levels = d.shape
    for i in prange(nx):
        upper = np.empty(levels)
        for j in range(ny):
            upper[0] = c[i, j, 0] / b[i, j, 0]
            d[i, j, 0] /= b[i, j, 0]
            for k in range(1, levels):
                pivot = b[i, j, k] - a[i, j, k] * upper[k - 1]
                upper[k] = c[i, j, k] / pivot
                d[i, j, k] = (d[i, j, k] - a[i, j, k] * d[i, j, k - 1]) / pivot
            for k in range(levels - 2, -1, -1):
                d[i, j, k] -= upper[k] * d[i, j, k + 1]


run = njit(program)
run_parallel = njit(parallel=True)(program)
