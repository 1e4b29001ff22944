from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(x, y, steps):
    count = np.zeros((len(y), len(x)), dtype=np.int64)
    for i in prange(len(y)):
        for j in range(len(x)):
            c = complex(x[j], y[i])
            z = 0j
            for n in range(1, steps + 1):
                z = z * z + c
                if z.real**2 + z.imag**2 > 4.0:
                    count[i, j] = n
                    break
    return count


run = njit(program)
run_parallel = njit(parallel=True)(program)
