from __future__ import annotations

from numba import njit, prange


def program(u, alpha):
    n, m = u.shape
    old, new = u.copy(), u.copy()
    for _ in range(10):
        for i in prange(1, n - 1):
            for j in range(1, m - 1):
                spread = old[i + 1, j] + old[i - 1, j] + old[i, j + 1] + old[i, j - 1] - 4.0 * old[i, j]
                new[i, j] = old[i, j] + alpha * spread
        old, new = new, old
    u[:] = old


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
