from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(x, w1, b1, w2, b2):
    hidden = np.dot(x, w1)
    n, m = hidden.shape
    for i in prange(n):
        for j in range(m):
            hidden[i, j] = max(hidden[i, j] + b1[j], np.float32(0))
    out = np.dot(hidden, w2)
    for i in prange(n):
        for j in range(m):
            out[i, j] = np.tanh(out[i, j] + b2[j])
    return out


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
