from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(images, weights, bias):
    window, _, channels, filters = weights.shape
    number = images.shape[0]
    height, width = images.shape[1] - window + 1, images.shape[2] - window + 1
    out = np.empty((number, height, width, filters), dtype=np.float32)
    for n in prange(number):
        s = np.empty(filters, dtype=np.float32)
        for i in range(height):
            for j in range(width):
                s[:] = bias
                for a in range(window):
                    for b in range(window):
                        for c in range(channels):
                            x = images[n, i + a, j + b, c]
                            for f in range(filters):
                                s[f] += x * weights[a, b, c, f]
                for f in range(filters):
                    out[n, i, j, f] = max(s[f], np.float32(0.0))
    return out


run = njit(program)
run_parallel = njit(parallel=True)(program)
