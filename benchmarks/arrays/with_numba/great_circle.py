from __future__ import annotations

import math

import numpy as np
from numba import njit, prange


def program(lat1, lon1, lat2, lon2):
    out = np.empty_like(lat1)
    r = math.pi / 180.0
    for i in prange(out.size):
        p, q = lat1[i] * r, lat2[i] * r
        a = math.sin(0.5 * (q - p)) ** 2 + math.cos(p) * math.cos(q) * math.sin(0.5 * (lon2[i] * r - lon1[i] * r)) ** 2
        out[i] = 6371.0 * 2.0 * math.asin(math.sqrt(min(a, 1.0)))
    return out


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
