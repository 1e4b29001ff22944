from __future__ import annotations

import numpy as np
from numba import njit


def program(bases):
    n = len(bases)
    table = np.zeros((n, n), dtype=np.int64)
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            best = max(table[i, j - 1], table[i + 1, j])
            if i < j - 1 and bases[i] + bases[j] == 3:
                best = max(best, table[i + 1, j - 1] + 1)
            else:
                best = max(best, table[i + 1, j - 1])
            for k in range(i + 1, j):
                best = max(best, table[i, k] + table[k + 1, j])
            table[i, j] = best
    return table


run = njit(program)
