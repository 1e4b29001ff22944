from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(field, coefficient, steps):
    nx, ny, nz = field.shape
    out = field.copy()
    old = field.copy()
    lap = np.zeros_like(field)
    for _ in range(steps):
        for i in prange(1, nx - 1):
            for j in range(1, ny - 1):
                for k in range(nz):
                    lap[i, j, k] = 4.0 * old[i, j, k] - (
                        old[i + 1, j, k] + old[i - 1, j, k] + old[i, j + 1, k] + old[i, j - 1, k]
                    )
        for i in prange(2, nx - 2):
            for j in range(2, ny - 2):
                for k in range(nz):
                    east = lap[i + 1, j, k] - lap[i, j, k]
                    if east * (old[i + 1, j, k] - old[i, j, k]) > 0.0:
                        east = 0.0
                    west = lap[i, j, k] - lap[i - 1, j, k]
                    if west * (old[i, j, k] - old[i - 1, j, k]) > 0.0:
                        west = 0.0
                    north = lap[i, j + 1, k] - lap[i, j, k]
                    if north * (old[i, j + 1, k] - old[i, j, k]) > 0.0:
                        north = 0.0
                    south = lap[i, j, k] - lap[i, j - 1, k]
                    if south * (old[i, j, k] - old[i, j - 1, k]) > 0.0:
                        south = 0.0
                    out[i, j, k] = old[i, j, k] - coefficient[i, j, k] * (east - west + north - south)
        old, out = out, old
    return old


run = njit(program)
run_parallel = njit(parallel=True)(program)
