from __future__ import annotations

from numba import njit, prange


def program(u, f, omega, sweeps):
    a, b, c = u.shape
    old = u.copy()
    new = u.copy()
    for _ in range(sweeps):
        for i in prange(1, a - 1):
            for j in range(1, b - 1):
                for k in range(1, c - 1):
                    mean = (
                        old[i - 1, j, k] + old[i + 1, j, k] + old[i, j - 1, k]
                        + old[i, j + 1, k] + old[i, j, k - 1] + old[i, j, k + 1] + f[i, j, k]
                    ) / 6.0  # fmt: skip
                    new[i, j, k] = (1.0 - omega) * old[i, j, k] + omega * mean
        old, new = new, old
    u[:, :, :] = old


run = njit(program)
run_parallel = njit(parallel=True)(program)
