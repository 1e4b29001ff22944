from __future__ import annotations

import numpy as np
from numba import njit


def program(u, v, p, h, dt, rho, nu, steps, sweeps):
    n, m = u.shape
    b = np.zeros_like(p)
    old = np.empty_like(p)
    for _ in range(steps):
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                du_dx = (u[i, j + 1] - u[i, j - 1]) / (2.0 * h)
                dv_dy = (v[i + 1, j] - v[i - 1, j]) / (2.0 * h)
                du_dy = (u[i + 1, j] - u[i - 1, j]) / (2.0 * h)
                dv_dx = (v[i, j + 1] - v[i, j - 1]) / (2.0 * h)
                b[i, j] = rho * ((du_dx + dv_dy) / dt - du_dx**2 - 2.0 * du_dy * dv_dx - dv_dy**2)
        for _ in range(sweeps):
            old[:, :] = p
            for i in range(1, n - 1):
                for j in range(1, m - 1):
                    p[i, j] = 0.25 * (old[i, j + 1] + old[i, j - 1] + old[i + 1, j] + old[i - 1, j] - h * h * b[i, j])
            p[:, -1] = p[:, -2]
            p[0, :] = p[1, :]
            p[:, 0] = p[:, 1]
            p[-1, :] = 0.0
        u_old = u.copy()
        v_old = v.copy()
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                gx, gy = p[i, j + 1] - p[i, j - 1], p[i + 1, j] - p[i - 1, j]
                for w, w_old, gradient in ((u, u_old, gx), (v, v_old, gy)):
                    w[i, j] = (
                        w_old[i, j]
                        - u_old[i, j] * dt / h * (w_old[i, j] - w_old[i, j - 1])
                        - v_old[i, j] * dt / h * (w_old[i, j] - w_old[i - 1, j])
                        - dt / (2.0 * rho * h) * gradient
                        + nu * dt / h**2
                        * (w_old[i, j + 1] + w_old[i, j - 1] + w_old[i + 1, j] + w_old[i - 1, j] - 4.0 * w_old[i, j])
                    )  # fmt: skip
        u[0, :] = 0.0
        u[:, 0] = 0.0
        u[:, -1] = 0.0
        u[-1, :] = 1.0
        v[0, :] = 0.0
        v[-1, :] = 0.0
        v[:, 0] = 0.0
        v[:, -1] = 0.0


run = njit(program)
