from __future__ import annotations

from numba import njit


def program(a):
    n = a.shape[0]
    for i in range(n):
        for j in range(i):
            s = a[i, j]
            for k in range(j):
                s -= a[i, k] * a[k, j]
            a[i, j] = s / a[j, j]
        for k in range(i):
            for j in range(i, n):
                a[i, j] -= a[i, k] * a[k, j]


run = njit(program)
