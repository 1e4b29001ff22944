from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(x, table):
    out = np.empty_like(x)
    last = table.size - 1
    for i in prange(x.size):
        position = x[i] * last
        low = min(int(position), last - 1)
        part = position - low
        out[i] = table[low] * (1.0 - part) + table[low + 1] * part
    return out


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
