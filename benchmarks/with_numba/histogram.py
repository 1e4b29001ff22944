from __future__ import annotations

import numpy as np
from numba import njit


def program(x, weight, lo, hi, bins):
    count = np.zeros(bins, dtype=np.int64)
    total = np.zeros(bins)
    scale = bins / (hi - lo)
    for i in range(len(x)):
        k = int((x[i] - lo) * scale)
        k = min(max(k, 0), bins - 1)
        count[k] += 1
        total[k] += weight[i]
    return count, total


run = njit(program)
