from __future__ import annotations

import numpy as np
from numba import njit


def program(frequency):
    n = len(frequency)
    total = np.zeros(n + 1)
    total[1:] = np.cumsum(frequency)
    cost = np.zeros((n + 1, n + 1))
    root = np.zeros((n, n), dtype=np.int64)
    for length in range(1, n + 1):
        for i in range(n - length + 1):
            j = i + length
            best = np.inf
            for k in range(i, j):
                c = cost[i, k] + cost[k + 1, j]
                if c < best:
                    best = c
                    root[i, j - 1] = k
            cost[i, j] = best + total[j] - total[i]
    return cost[0, n], root


run = njit(program)
