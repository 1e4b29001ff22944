from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(f, tolerance):
    n, m = f.shape
    u = np.zeros_like(f)
    residual = f.copy()
    direction = f.copy()
    applied = np.empty_like(f)
    rho = 0.0
    for i in prange(n):
        for j in range(m):
            rho += f[i, j] * f[i, j]
    stop = tolerance * np.sqrt(rho)
    iterations = 0
    while np.sqrt(rho) > stop:
        curvature = 0.0
        for i in prange(n):
            for j in range(m):
                s = 4.0 * direction[i, j]
                if i > 0:
                    s -= direction[i - 1, j]
                if i < n - 1:
                    s -= direction[i + 1, j]
                if j > 0:
                    s -= direction[i, j - 1]
                if j < m - 1:
                    s -= direction[i, j + 1]
                applied[i, j] = s
                curvature += direction[i, j] * s
        alpha = rho / curvature
        old = rho
        rho = 0.0
        for i in prange(n):
            for j in range(m):
                u[i, j] += alpha * direction[i, j]
                residual[i, j] -= alpha * applied[i, j]
                rho += residual[i, j] * residual[i, j]
        for i in prange(n):
            for j in range(m):
                direction[i, j] = residual[i, j] + (rho / old) * direction[i, j]
        iterations += 1
    return u, iterations


run = njit(program)
run_parallel = njit(parallel=True)(program)
