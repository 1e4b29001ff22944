from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(indptr, indices, data, x):
    y = np.empty(len(indptr) - 1, dtype=data.dtype)
    for i in prange(len(indptr) - 1):
        s = 0.0
        for k in range(indptr[i], indptr[i + 1]):
            s += data[k] * x[indices[k]]
        y[i] = s
    return y


run = njit(program)
run_parallel = njit(parallel=True)(program)
