from __future__ import annotations

from numba import njit, prange


def program(u, sweeps):
    n, m = u.shape
    old = u.copy()
    new = u.copy()
    for _ in range(sweeps):
        for i in prange(1, n - 1):
            for j in range(1, m - 1):
                new[i, j] = 0.25 * (old[i - 1, j] + old[i + 1, j] + old[i, j - 1] + old[i, j + 1])
        old, new = new, old
    u[:, :] = old


run = njit(program)
run_parallel = njit(parallel=True)(program)
