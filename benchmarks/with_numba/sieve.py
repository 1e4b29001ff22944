from __future__ import annotations

import numpy as np
from numba import njit


def program(limit):
    prime = np.ones(limit, dtype=np.bool_)
    prime[:2] = False
    i = 2
    while i * i < limit:
        if prime[i]:
            for k in range(i * i, limit, i):
                prime[k] = False
        i += 1
    return prime.sum(), prime


run = njit(program)
