from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(x, y, steps):
    count = np.zeros((len(y), len(x)), dtype=np.int64)
    for i in prange(len(y)):
        for j in range(len(x)):
            c = complex(x[j], y[i])
            w = 0j
            last = 0
            for n in range(steps):
                if not w.real**2 + w.imag**2 < 4.0:
                    break
                last = n
                w = w * w + c
            count[i, j] = 0 if last == steps - 1 else last
    return count


run = njit(program)
run_parallel = njit(parallel=True)(program)
