from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(alive, generations):
    n, m = alive.shape
    old = np.zeros((n + 2, m + 2), dtype=np.uint8)
    new = np.zeros((n + 2, m + 2), dtype=np.uint8)
    old[1:-1, 1:-1] = alive
    for _ in range(generations):
        old[0, :] = old[n, :]
        old[n + 1, :] = old[1, :]
        old[:, 0] = old[:, m]
        old[:, m + 1] = old[:, 1]
        for i in prange(1, n + 1):
            for j in range(1, m + 1):
                count = np.uint8(
                    old[i - 1, j - 1] + old[i - 1, j] + old[i - 1, j + 1] + old[i, j - 1]
                    + old[i, j + 1] + old[i + 1, j - 1] + old[i + 1, j] + old[i + 1, j + 1]
                )  # fmt: skip
                # Three neighbours, or two of a living cell.
                new[i, j] = np.uint8((count | old[i, j]) == 3)
        old, new = new, old
    return old[1:-1, 1:-1] != 0


run = njit(program)
run_parallel = njit(parallel=True)(program)
