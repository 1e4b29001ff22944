from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(front, back, mask):
    out = np.empty_like(front)
    one, zero = np.float32(1), np.float32(0)
    for i in prange(out.size):
        out[i] = np.sqrt(min(max(front[i] * mask[i] + back[i] * (one - mask[i]), zero), one))
    return out


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
