from __future__ import annotations

import math

from numba import njit, prange


def program(forecast, observed):
    n = forecast.size
    f, o, square, absolute = 0.0, 0.0, 0.0, 0.0
    for i in prange(n):
        error = forecast[i] - observed[i]
        f += forecast[i]
        o += observed[i]
        square += error * error
        absolute += abs(error)
    f /= n
    o /= n
    fo, ff, oo = 0.0, 0.0, 0.0
    for i in prange(n):
        p, q = forecast[i] - f, observed[i] - o
        fo += p * q
        ff += p * p
        oo += q * q
    return f - o, math.sqrt(square / n), fo / math.sqrt(ff * oo), absolute / n


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
