from __future__ import annotations

from numba import njit, prange


def program(u, f, h, sweeps):
    u = u.copy()
    new = u.copy()
    for _ in range(sweeps):
        for i in prange(1, len(u) - 1):
            new[i] = 0.5 * (u[i - 1] + u[i + 1] + h * h * f[i])
        u, new = new, u
    return u


run = njit(program)
run_parallel = njit(parallel=True)(program)
