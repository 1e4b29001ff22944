from __future__ import annotations

import numpy as np
from numba import njit


def program(a, b):
    distance = np.zeros((len(a) + 1, len(b) + 1), dtype=np.int32)
    distance[:, 0] = np.arange(len(a) + 1)
    distance[0, :] = np.arange(len(b) + 1)
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            change = 0 if a[i - 1] == b[j - 1] else 1
            distance[i, j] = min(distance[i - 1, j] + 1, distance[i, j - 1] + 1, distance[i - 1, j - 1] + change)
    return distance[-1, -1]


run = njit(program)
