from __future__ import annotations

import numpy as np
from numba import njit


def program(u, v, p, h, dt, rho, nu, force, sweeps, tolerance):
    n, m = u.shape
    b = np.zeros_like(p)
    old = np.empty_like(p)
    steps = 0
    udiff = 1.0
    while udiff > tolerance:
        u_old = u.copy()
        v_old = v.copy()
        for i in range(1, n - 1):
            for j in range(m):
                w, e = (j - 1) % m, (j + 1) % m
                du_dx = (u_old[i, e] - u_old[i, w]) / (2.0 * h)
                dv_dx = (v_old[i, e] - v_old[i, w]) / (2.0 * h)
                du_dy = (u_old[i + 1, j] - u_old[i - 1, j]) / (2.0 * h)
                dv_dy = (v_old[i + 1, j] - v_old[i - 1, j]) / (2.0 * h)
                b[i, j] = rho * ((du_dx + dv_dy) / dt - du_dx**2 - 2.0 * du_dy * dv_dx - dv_dy**2)
        for _ in range(sweeps):
            old[:, :] = p
            for i in range(1, n - 1):
                for j in range(m):
                    w, e = (j - 1) % m, (j + 1) % m
                    p[i, j] = 0.25 * (old[i, e] + old[i, w] + old[i + 1, j] + old[i - 1, j] - h * h * b[i, j])
            p[0] = p[1]
            p[-1] = p[-2]
        for i in range(1, n - 1):
            for j in range(m):
                w, e = (j - 1) % m, (j + 1) % m
                u[i, j] = (
                    u_old[i, j]
                    - u_old[i, j] * dt / h * (u_old[i, j] - u_old[i, w])
                    - v_old[i, j] * dt / h * (u_old[i, j] - u_old[i - 1, j])
                    - dt / (2.0 * rho * h) * (p[i, e] - p[i, w])
                    + nu * dt / h**2
                    * (u_old[i, e] + u_old[i, w] + u_old[i + 1, j] + u_old[i - 1, j] - 4.0 * u_old[i, j])
                    + force * dt
                )  # fmt: skip
                v[i, j] = (
                    v_old[i, j]
                    - u_old[i, j] * dt / h * (v_old[i, j] - v_old[i, w])
                    - v_old[i, j] * dt / h * (v_old[i, j] - v_old[i - 1, j])
                    - dt / (2.0 * rho * h) * (p[i + 1, j] - p[i - 1, j])
                    + nu * dt / h**2
                    * (v_old[i, e] + v_old[i, w] + v_old[i + 1, j] + v_old[i - 1, j] - 4.0 * v_old[i, j])
                )  # fmt: skip
        udiff = abs(np.sum(u) - np.sum(u_old)) / np.sum(u)
        steps += 1
    return steps


run = njit(program)
