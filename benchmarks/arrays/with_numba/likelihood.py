from __future__ import annotations

import math

from numba import njit, prange


def program(x, sigma, mean):
    squares, logs = 0.0, 0.0
    for i in prange(x.size):
        deviation = (x[i] - mean) / sigma[i]
        squares += deviation * deviation
        logs += math.log(sigma[i])
    return -0.5 * squares - logs - 0.9189385332046727 * x.size


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
