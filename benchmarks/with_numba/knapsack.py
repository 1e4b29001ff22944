from __future__ import annotations

import numpy as np
from numba import njit


def program(weights, values, capacity):
    best = np.zeros(capacity + 1, dtype=np.int64)
    new = np.zeros(capacity + 1, dtype=np.int64)
    for weight, value in zip(weights, values):
        new[:weight] = best[:weight]
        for c in range(weight, capacity + 1):
            new[c] = max(best[c], best[c - weight] + value)
        best, new = new, best
    return best[capacity]


run = njit(program)
