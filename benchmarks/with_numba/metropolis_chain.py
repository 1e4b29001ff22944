from __future__ import annotations

import numpy as np
from numba import njit


@njit
def density(x):
    return np.exp(-0.5 * (x - 2.0) ** 2) + 0.5 * np.exp(-0.5 * (x + 2.0) ** 2)


def program(rng, n, width):
    chain = np.zeros(n)
    x, taken = 0.0, 0
    here = density(x)
    for i in range(n):
        proposed = x + rng.normal(0.0, width)
        there = density(proposed)
        if rng.random() < there / here:
            x, here = proposed, there
            taken += 1
        chain[i] = x
    return chain, taken / n


run = njit(program)
