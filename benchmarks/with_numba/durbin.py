from __future__ import annotations

import numpy as np
from numba import njit


def program(r):
    y = np.empty_like(r)
    z = np.empty_like(r)
    y[0] = -r[0]
    alpha = -r[0]
    beta = 1.0
    for k in range(1, len(r)):
        beta *= 1.0 - alpha * alpha
        s = r[k]
        for i in range(k):
            s += r[k - 1 - i] * y[i]
        alpha = -s / beta
        for i in range(k):
            z[i] = y[i] + alpha * y[k - 1 - i]
        y[:k] = z[:k]
        y[k] = alpha
    return y


run = njit(program)
