from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(s, q, a, p, r):
    n, m = a.shape
    total = np.zeros(m)
    for i in prange(n):
        total += r[i] * a[i]
        q[i] += np.dot(a[i], p)
    s += total


run = njit(program)
run_parallel = njit(parallel=True)(program)
