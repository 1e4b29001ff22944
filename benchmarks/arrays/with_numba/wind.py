from __future__ import annotations

import math

import numpy as np
from numba import njit, prange


def program(u, v, celsius):
    speed, direction, felt = np.empty_like(u), np.empty_like(u), np.empty_like(u)
    for i in prange(u.size):
        s, t = math.hypot(u[i], v[i]), celsius[i]
        angle = math.degrees(math.atan2(-u[i], -v[i]))
        power = (3.6 * s) ** 0.16
        speed[i] = s
        direction[i] = angle % 360.0
        felt[i] = 13.12 + 0.6215 * t - 11.37 * power + 0.3965 * t * power if s > 1.34 else t
    return speed, direction, felt


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
