from __future__ import annotations

from numba import njit, prange


def program(c, a, b, alpha, beta):
    n, m = a.shape
    for i in prange(n):
        for j in range(i + 1):
            s = 0.0
            for k in range(m):
                s += a[j, k] * b[i, k] + b[j, k] * a[i, k]
            c[i, j] = beta * c[i, j] + alpha * s


run = njit(program)
run_parallel = njit(parallel=True)(program)
