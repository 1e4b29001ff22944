from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(u, r, steps):
    n = u.shape[0]
    r = 0.5 * r
    half = np.empty_like(u)
    upper = np.zeros(n)
    for i in range(1, n - 1):
        upper[i] = r / (1.0 + 2.0 * r - r * upper[i - 1])
    right = np.empty_like(u)
    for _ in range(steps):
        for source, target, along_rows in ((u, half, True), (half, u, False)):
            for j in prange(1, n - 1):
                right[j, 0] = source[0, j] if along_rows else source[j, 0]
                for i in range(1, n - 1):
                    if along_rows:
                        explicit = r * source[i, j - 1] + (1.0 - 2.0 * r) * source[i, j] + r * source[i, j + 1]
                    else:
                        explicit = r * source[j - 1, i] + (1.0 - 2.0 * r) * source[j, i] + r * source[j + 1, i]
                    right[j, i] = (explicit + r * right[j, i - 1]) / (1.0 + 2.0 * r - r * upper[i - 1])
                last = source[n - 1, j] if along_rows else source[j, n - 1]
                for i in range(n - 2, 0, -1):
                    last = right[j, i] + upper[i] * last
                    if along_rows:
                        target[i, j] = last
                    else:
                        target[j, i] = last
            for i in range(n):
                target[0, i] = source[0, i]
                target[n - 1, i] = source[n - 1, i]
                target[i, 0] = source[i, 0]
                target[i, n - 1] = source[i, n - 1]


run = njit(program)
run_parallel = njit(parallel=True)(program)
