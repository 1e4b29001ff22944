from __future__ import annotations

import numpy as np
from numba import njit


def program(income):
    ordered = np.sort(income)
    n = ordered.size
    running, total, before = 0.0, 0.0, 0.0
    for i in range(n):
        running += ordered[i]
        total += running
        if i == n - 1 - n // 10:
            before = running
    return (n + 1 - 2.0 * total / running) / n, ordered[n // 2], 1.0 - before / running


run = njit(cache=True)(program)
