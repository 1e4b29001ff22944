from __future__ import annotations

from numba import njit, prange


def program(ex, ey, hz, source):
    n, m = ex.shape
    for t in range(len(source)):
        for i in prange(n):
            for j in range(m):
                if i > 0:
                    ey[i, j] -= 0.5 * (hz[i, j] - hz[i - 1, j])
                else:
                    ey[i, j] = source[t]
                if j > 0:
                    ex[i, j] += 0.5 * (hz[i, j] - hz[i, j - 1])
        for i in prange(n - 1):
            for j in range(m - 1):
                hz[i, j] -= 0.7 * (ey[i + 1, j] - ey[i, j] - ex[i, j + 1] + ex[i, j])


run = njit(program)
run_parallel = njit(parallel=True)(program)
