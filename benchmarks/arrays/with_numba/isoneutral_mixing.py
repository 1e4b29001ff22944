from __future__ import annotations

import math

import numpy as np
from numba import njit, prange


@njit(cache=True)
def taper(slope):
    return 0.5 * (1.0 + math.tanh((4e-3 - abs(slope)) / 1e-3))


def program(t, s, diffusivity, dx, dz, dt):
    alpha, beta = 1.7e-4, 7.6e-4
    n, m, depth = t.shape
    flux_x, flux_y, flux_z = np.empty_like(t), np.empty_like(t), np.empty_like(t)
    for i in prange(n):
        for j in range(m):
            for k in range(depth):
                t_x = (t[i + 1, j, k] - t[i, j, k]) / dx if i + 1 < n else 0.0
                s_x = (s[i + 1, j, k] - s[i, j, k]) / dx if i + 1 < n else 0.0
                t_y = (t[i, j + 1, k] - t[i, j, k]) / dx if j + 1 < m else 0.0
                s_y = (s[i, j + 1, k] - s[i, j, k]) / dx if j + 1 < m else 0.0
                t_z = (t[i, j, k + 1] - t[i, j, k]) / dz if k + 1 < depth else 0.0
                s_z = (s[i, j, k + 1] - s[i, j, k]) / dz if k + 1 < depth else 0.0
                rho_z = min(beta * s_z - alpha * t_z, -1e-9)
                slope_x = -(beta * s_x - alpha * t_x) / rho_z
                slope_y = -(beta * s_y - alpha * t_y) / rho_z
                k_x, k_y = diffusivity[i, j, k] * taper(slope_x), diffusivity[i, j, k] * taper(slope_y)
                flux_x[i, j, k] = k_x * (t_x + slope_x * t_z)
                flux_y[i, j, k] = k_y * (t_y + slope_y * t_z)
                flux_z[i, j, k] = (
                    k_x * slope_x * t_x
                    + k_y * slope_y * t_y
                    + (k_x * slope_x * slope_x + k_y * slope_y * slope_y) * t_z
                )
    new = np.empty_like(t)
    for i in prange(n):
        for j in range(m):
            for k in range(depth):
                change = (flux_x[i, j, k] - flux_x[i - 1, j, k]) / dx if 0 < i < n - 1 else 0.0
                if 0 < j < m - 1:
                    change += (flux_y[i, j, k] - flux_y[i, j - 1, k]) / dx
                if 0 < k < depth - 1:
                    change += (flux_z[i, j, k] - flux_z[i, j, k - 1]) / dz
                new[i, j, k] = t[i, j, k] + dt * change
    return new


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
