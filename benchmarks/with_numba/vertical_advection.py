from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(field, velocity, dt):
    nx, ny, nz = field.shape
    out = np.empty_like(field)
    for i in prange(nx):
        upper = np.zeros(nz)
        right = np.zeros(nz)
        for j in range(ny):
            for k in range(nz):
                below, above = 0.0, 0.0
                rhs = field[i, j, k]
                if k > 0:
                    below = -0.25 * dt * (velocity[i + 1, j, k] + velocity[i, j, k])
                    rhs += below * (field[i, j, k] - field[i, j, k - 1])
                if k < nz - 1:
                    above = 0.25 * dt * (velocity[i + 1, j, k + 1] + velocity[i, j, k + 1])
                    rhs -= above * (field[i, j, k + 1] - field[i, j, k])
                pivot = 1.0 - above - below
                if k > 0:
                    pivot -= upper[k - 1] * below
                    rhs -= right[k - 1] * below
                upper[k] = above / pivot
                right[k] = rhs / pivot
            out[i, j, nz - 1] = right[nz - 1]
            for k in range(nz - 2, -1, -1):
                out[i, j, k] = right[k] - upper[k] * out[i, j, k + 1]
    return out


run = njit(program)
run_parallel = njit(parallel=True)(program)
