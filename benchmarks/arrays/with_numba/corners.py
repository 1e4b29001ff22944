from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(image):
    n, m = image.shape
    out = np.empty((n - 4, m - 4))
    for i in prange(n - 4):
        for j in range(m - 4):
            xx, yy, xy = 0.0, 0.0, 0.0
            for k in range(i + 1, i + 4):
                for p in range(j + 1, j + 4):
                    across = image[k, p + 1] - image[k, p - 1]
                    down = image[k + 1, p] - image[k - 1, p]
                    xx += across * across
                    yy += down * down
                    xy += across * down
            out[i, j] = xx * yy - xy * xy - 0.05 * (xx + yy) ** 2
    return out


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
