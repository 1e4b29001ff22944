from __future__ import annotations

import numpy as np
from numba import njit


def program(dimensions):
    n = len(dimensions) - 1
    cost = np.zeros((n, n), dtype=np.int64)
    for length in range(2, n + 1):
        for i in range(n - length + 1):
            j = i + length - 1
            outer = dimensions[i] * dimensions[j + 1]
            best = np.iinfo(np.int64).max
            for k in range(i, j):
                best = min(best, cost[i, k] + cost[k + 1, j] + outer * dimensions[k + 1])
            cost[i, j] = best
    return cost[0, n - 1]


run = njit(program)
