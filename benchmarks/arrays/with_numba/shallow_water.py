from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(h, u, v, dt, g, depth, f):
    n, m = h.shape
    h1, u1, v1 = np.empty_like(h), np.empty_like(u), np.empty_like(v)
    for i in prange(n):
        for j in range(m):
            h1[i, j] = h[i, j] - dt * depth * (u[i, j] - u[i, j - 1] + v[i, j] - v[i - 1, j])
    for i in prange(n):
        for j in range(m):
            e = j + 1 if j + 1 < m else 0
            mean_v = 0.25 * (v[i, j] + v[i, e] + v[i - 1, j] + v[i - 1, e])
            u1[i, j] = u[i, j] + dt * (f * mean_v - g * (h1[i, e] - h1[i, j]))
    for i in prange(n):
        s = i + 1 if i + 1 < n else 0
        for j in range(m):
            mean_u = 0.25 * (u1[i, j] + u1[i, j - 1] + u1[s, j] + u1[s, j - 1])
            v1[i, j] = v[i, j] - dt * (f * mean_u + g * (h1[s, j] - h1[i, j]))
    return h1, u1, v1


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
