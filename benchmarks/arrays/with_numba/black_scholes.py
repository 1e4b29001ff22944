from __future__ import annotations

import math

import numpy as np
from numba import njit, prange


@njit(cache=True)
def normal(x):
    k = 1.0 / (1.0 + 0.2316419 * abs(x))
    series = k * (0.319381530 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429))))
    tail = 0.3989422804014327 * math.exp(-0.5 * x * x) * series
    return 1.0 - tail if x > 0.0 else tail


def program(spot, strike, years, rate, volatility):
    call, put = np.empty_like(spot), np.empty_like(spot)
    for i in prange(spot.size):
        deviation = volatility * math.sqrt(years[i])
        d1 = (math.log(spot[i] / strike[i]) + (rate + 0.5 * volatility**2) * years[i]) / deviation
        discounted = strike[i] * math.exp(-rate * years[i])
        call[i] = spot[i] * normal(d1) - discounted * normal(d1 - deviation)
        put[i] = call[i] - spot[i] + discounted
    return call, put


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
