from __future__ import annotations

from numba import njit


def program(u, sweeps):
    n = u.shape[0]
    for _ in range(sweeps):
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                u[i, j] += (
                    u[i - 1, j - 1] + u[i - 1, j] + u[i - 1, j + 1] + u[i, j + 1]
                    + u[i + 1, j - 1] + u[i + 1, j] + u[i + 1, j + 1]
                )  # fmt: skip
                u[i, j] = (u[i, j] + u[i, j - 1]) / 9.0


run = njit(program)
