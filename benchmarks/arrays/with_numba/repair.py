from __future__ import annotations

import math

import numpy as np
from numba import njit, prange


def program(x, low, high):
    out = np.empty_like(x)
    for i in prange(x.size):
        y = 0.0 if math.isnan(x[i]) else max(x[i], low)
        out[i] = high + 0.1 * (y - high) if y > high else y
    return out


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
