from __future__ import annotations

from numba import njit, prange


def program(path):
    n = path.shape[0]
    for k in range(n):
        for i in prange(n):
            for j in range(n):
                path[i, j] = min(path[i, j], path[i, k] + path[k, j])


run = njit(program)
run_parallel = njit(parallel=True)(program)
