from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(r2, epsilon, sigma):
    energy, force = np.empty_like(r2), np.empty_like(r2)
    for i in prange(r2.size):
        s2 = sigma * sigma / r2[i]
        s6 = s2 * s2 * s2
        near = r2[i] < 9.0 * sigma * sigma
        energy[i] = 4.0 * epsilon * (s6 * s6 - s6) if near else 0.0
        force[i] = 24.0 * epsilon * (2.0 * s6 * s6 - s6) / r2[i] if near else 0.0
    return energy, force


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
