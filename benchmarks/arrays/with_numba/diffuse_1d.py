from __future__ import annotations

from numba import njit, prange


def program(u, alpha):
    old, new = u.copy(), u.copy()
    for _ in range(10):
        for i in prange(1, u.size - 1):
            new[i] = old[i] + alpha * (old[i + 1] - 2.0 * old[i] + old[i - 1])
        old, new = new, old
    u[:] = old


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
