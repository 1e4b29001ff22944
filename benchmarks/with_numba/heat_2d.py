from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(temperature, conductivity, dt, steps):
    n, m = temperature.shape
    old = temperature.copy()
    new = np.empty_like(old)
    before = old.sum()
    for _ in range(steps):
        for i in prange(n):
            for j in range(m):
                k = conductivity[i, j]
                here = old[i, j]
                flow = 0.0
                if j + 1 < m:
                    flow += 0.5 * (conductivity[i, j + 1] + k) * (old[i, j + 1] - here)
                if j > 0:
                    flow += 0.5 * (conductivity[i, j - 1] + k) * (old[i, j - 1] - here)
                if i + 1 < n:
                    flow += 0.5 * (conductivity[i + 1, j] + k) * (old[i + 1, j] - here)
                if i > 0:
                    flow += 0.5 * (conductivity[i - 1, j] + k) * (old[i - 1, j] - here)
                new[i, j] = here + dt * flow
        old, new = new, old
    return old, old.sum() / before


run = njit(program)
run_parallel = njit(parallel=True)(program)
