from __future__ import annotations

from numba import njit, prange


def program(u, tolerance):
    n, m = u.shape
    old = u.copy()
    new = u.copy()
    sweeps = 0
    change = tolerance + 1.0
    while change > tolerance:
        change = 0.0
        for i in prange(1, n - 1):
            row = 0.0
            for j in range(1, m - 1):
                new[i, j] = 0.25 * (old[i - 1, j] + old[i + 1, j] + old[i, j - 1] + old[i, j + 1])
                row = max(row, abs(new[i, j] - old[i, j]))
            change = max(change, row)
        old, new = new, old
        sweeps += 1
    u[:, :] = old
    return sweeps, change


run = njit(program)
run_parallel = njit(parallel=True)(program)
