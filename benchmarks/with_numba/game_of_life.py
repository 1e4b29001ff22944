from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(alive, generations):
    n, m = alive.shape
    old = alive.copy()
    new = np.empty_like(old)
    for _ in range(generations):
        for i in prange(n):
            up, down = (i - 1) % n, (i + 1) % n
            for j in range(m):
                left, right = (j - 1) % m, (j + 1) % m
                count = (
                    int(old[up, left]) + int(old[up, j]) + int(old[up, right]) + int(old[i, left])
                    + int(old[i, right]) + int(old[down, left]) + int(old[down, j]) + int(old[down, right])
                )  # fmt: skip
                new[i, j] = count == 3 or (old[i, j] and count == 2)
        old, new = new, old
    return old


run = njit(program)
run_parallel = njit(parallel=True)(program)
