from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(coefficients, points):
    values = np.empty_like(points)
    slopes = np.empty_like(points)
    for i in prange(len(points)):
        x = points[i]
        value, slope = 0.0, 0.0
        for c in coefficients:
            slope = slope * x + value
            value = value * x + c
        values[i] = value
        slopes[i] = slope
    return values, slopes


run = njit(program)
run_parallel = njit(parallel=True)(program)
