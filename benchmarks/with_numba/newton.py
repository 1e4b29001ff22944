from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(mean_anomaly, eccentricity, tolerance):
    out = np.empty_like(mean_anomaly)
    steps = 0
    for i in prange(len(mean_anomaly)):
        m = mean_anomaly[i]
        e = m + eccentricity / 2 if m < np.pi else m - eccentricity / 2
        residual = e - eccentricity * np.sin(e) - m
        own = 0
        while abs(residual) > tolerance:
            e -= residual / (1.0 - eccentricity * np.cos(e))
            residual = e - eccentricity * np.sin(e) - m
            own += 1
        out[i] = e
        steps += own
    return out, steps


run = njit(program)
run_parallel = njit(parallel=True)(program)
