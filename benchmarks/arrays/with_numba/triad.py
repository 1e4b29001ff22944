from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(a, b, c, s):
    out = np.empty_like(a)
    for i in prange(a.size):
        out[i] = a[i] + s * (b[i] - c[i])
    return out


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
