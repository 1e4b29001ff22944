from __future__ import annotations

import math

from numba import njit, prange


def program(x):
    n = x.size
    total, low, high = 0.0, x[0], x[0]
    for i in prange(n):
        total += x[i]
        low = min(low, x[i])
        high = max(high, x[i])
    mean = total / n
    second, third, fourth = 0.0, 0.0, 0.0
    for i in prange(n):
        c = x[i] - mean
        second += c * c
        third += c * c * c
        fourth += c * c * c * c
    variance = second / n
    return mean, math.sqrt(variance), third / n / variance**1.5, fourth / n / variance**2 - 3.0, low, high


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
