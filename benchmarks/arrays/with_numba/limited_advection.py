from __future__ import annotations

import numpy as np
from numba import njit, prange


@njit(cache=True, inline="always")
def flux(u, i, courant):
    left, right = u[i] - u[i - 1], u[i + 1] - u[i]
    product = left * right
    slope = 2.0 * product / (left + right + 1e-300) if product > 0.0 else 0.0
    return courant * (u[i] + 0.5 * (1.0 - courant) * slope)


def program(u, courant):
    new = np.empty_like(u)
    n = u.size
    new[0], new[1], new[n - 1] = u[0], u[1], u[n - 1]
    for i in prange(2, n - 1):
        new[i] = u[i] - (flux(u, i, courant) - flux(u, i - 1, courant))
    return new


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
