from __future__ import annotations

from numba import njit


def program(c, a, b, alpha, beta):
    m, n = c.shape
    for i in range(m):
        for j in range(n):
            c[i, j] *= beta
    for i in range(m):
        for k in range(i):
            for j in range(n):
                c[k, j] += alpha * b[i, j] * a[i, k]
                c[i, j] += alpha * b[k, j] * a[i, k]
        for j in range(n):
            c[i, j] += alpha * b[i, j] * a[i, i]


run = njit(program)
