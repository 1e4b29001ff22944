from __future__ import annotations

from numba import njit


def program(rng, n):
    inside = 0
    for _ in range(n):
        x = rng.random()
        y = rng.random()
        if x * x + y * y < 1:
            inside += 1
    return 4 * inside / n


run = njit(program)
