from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(a, b, c):
    out = np.empty_like(a)
    for i in prange(a.size):
        out[i] = (a[i] + b[i]) * c[i] - a[i] / (b[i] + 1.0)
    return out


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
