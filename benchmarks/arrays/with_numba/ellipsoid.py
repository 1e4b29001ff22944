from __future__ import annotations

import math

import numpy as np
from numba import njit, prange


def program(longitude, latitude, height):
    n = longitude.size
    places, distance = np.empty((3, n)), np.empty(n)
    for i in prange(n):
        sine = math.sin(latitude[i])
        normal = 6378137.0 / math.sqrt(1.0 - 6.69437999014e-3 * sine * sine)
        flat = (normal + height[i]) * math.cos(latitude[i])
        places[0, i] = flat * math.cos(longitude[i])
        places[1, i] = flat * math.sin(longitude[i])
        places[2, i] = (0.99330562 * normal + height[i]) * sine
    for i in prange(n):
        x, y, z = places[0, i] - places[0, 0], places[1, i] - places[1, 0], places[2, i] - places[2, 0]
        distance[i] = math.sqrt(x * x + y * y + z * z)
    return places, distance


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
