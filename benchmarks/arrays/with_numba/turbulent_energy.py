from __future__ import annotations

import math

import numpy as np
from numba import njit, prange


def program(energy, u, v, stratification, dz, dt):
    n, m, depth = energy.shape
    out, viscosity = np.empty_like(energy), np.empty_like(energy)
    for i in prange(n):
        middle, right, upper = np.empty(depth), np.empty(depth), np.empty(depth)
        for j in range(m):
            for k in range(depth):
                e, strat = energy[i, j, k], stratification[i, j, k]
                root = math.sqrt(max(e, 1e-6))
                length = min(math.sqrt(2.0) * root / math.sqrt(max(strat, 1e-8)), 50.0)
                thick = min(max(0.1 * length * root, 1e-5), 10.0)
                shear = 0.0
                if k + 1 < depth:
                    shear = ((u[i, j, k + 1] - u[i, j, k]) / dz) ** 2 + ((v[i, j, k + 1] - v[i, j, k]) / dz) ** 2
                viscosity[i, j, k] = thick
                middle[k] = 1.0 + dt * 0.7 * root / length
                right[k] = e + dt * (thick * shear - thick * strat / 10.0)
            for k in range(depth):
                upper[k] = 0.0
                if k + 1 < depth:
                    upper[k] = dt * 0.5 * (viscosity[i, j, k + 1] + viscosity[i, j, k]) * 30.0 / dz**2
                middle[k] += upper[k] + (upper[k - 1] if k > 0 else 0.0)
            for k in range(1, depth):
                factor = -upper[k - 1] / middle[k - 1]
                middle[k] += factor * upper[k - 1]
                right[k] -= factor * right[k - 1]
            right[depth - 1] /= middle[depth - 1]
            for k in range(depth - 2, -1, -1):
                right[k] = (right[k] + upper[k] * right[k + 1]) / middle[k]
            for k in range(depth):
                out[i, j, k] = max(right[k], 1e-6)
    return out, viscosity


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
