from __future__ import annotations

from numba import njit, prange


def program(u, v, r, steps):
    a, b, c = u.shape
    source, target = u, v
    for _ in range(2 * steps):
        for i in prange(1, a - 1):
            for j in range(1, b - 1):
                for k in range(1, c - 1):
                    target[i, j, k] = source[i, j, k] + r * (
                        source[i - 1, j, k] + source[i + 1, j, k] + source[i, j - 1, k] + source[i, j + 1, k]
                        + source[i, j, k - 1] + source[i, j, k + 1] - 6.0 * source[i, j, k]
                    )  # fmt: skip
        source, target = target, source


run = njit(program)
run_parallel = njit(parallel=True)(program)
