from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(table):
    n, m = table.shape
    blocks = 16
    sums, squares = np.zeros((blocks, m)), np.zeros((blocks, m))
    for b in prange(blocks):
        for i in range(b * n // blocks, (b + 1) * n // blocks):
            for j in range(m):
                sums[b, j] += table[i, j]
    mean = sums.sum(axis=0) / n
    for b in prange(blocks):
        for i in range(b * n // blocks, (b + 1) * n // blocks):
            for j in range(m):
                squares[b, j] += (table[i, j] - mean[j]) ** 2
    scale = np.sqrt(squares.sum(axis=0) / n)
    out = np.empty_like(table)
    for i in prange(n):
        for j in range(m):
            out[i, j] = (table[i, j] - mean[j]) / scale[j]
    return out


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
