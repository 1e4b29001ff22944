from __future__ import annotations

import math

import numpy as np
from numba import njit, prange


def program(celsius, humidity):
    saturation, dew_point, wet_bulb = np.empty_like(celsius), np.empty_like(celsius), np.empty_like(celsius)
    for i in prange(celsius.size):
        t, h = celsius[i], humidity[i]
        pressure = 6.112 * math.exp(17.62 * t / (243.12 + t))
        logarithm = math.log(0.01 * h * pressure / 6.112)
        saturation[i] = pressure
        dew_point[i] = 243.12 * logarithm / (17.62 - logarithm)
        wet_bulb[i] = (
            t * math.atan(0.151977 * math.sqrt(h + 8.313659))
            + math.atan(t + h)
            - math.atan(h - 1.676331)
            + 0.00391838 * h * math.sqrt(h) * math.atan(0.023101 * h)
            - 4.686035
        )
    return saturation, dew_point, wet_bulb


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
