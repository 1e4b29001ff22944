from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(u, r, steps):
    n = len(u)
    old = u.copy()
    new = u.copy()
    for t in range(steps):
        old[0] = np.sin(0.01 * t)
        new[0] = old[0]
        for i in prange(1, n - 1):
            new[i] = old[i] + r * (old[i - 1] - 2.0 * old[i] + old[i + 1])
        old, new = new, old
    u[:] = old


run = njit(program)
run_parallel = njit(parallel=True)(program)
