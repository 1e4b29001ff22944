from __future__ import annotations

from numba import njit, prange


def program(u, before, c2):
    n, m, depth = u.shape
    old, new = u, before
    for _ in range(4):
        for i in prange(1, n - 1):
            for j in range(1, m - 1):
                for k in range(1, depth - 1):
                    spread = (
                        old[i + 1, j, k] + old[i - 1, j, k] + old[i, j + 1, k] + old[i, j - 1, k]
                        + old[i, j, k + 1] + old[i, j, k - 1] - 6.0 * old[i, j, k]
                    )  # fmt: skip
                    new[i, j, k] = 2.0 * old[i, j, k] - new[i, j, k] + c2[i, j, k] * spread
        old, new = new, old


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
