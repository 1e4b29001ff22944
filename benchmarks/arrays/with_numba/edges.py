from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(image):
    n, m = image.shape
    out = np.empty((n - 2, m - 2), np.uint8)
    for i in prange(n - 2):
        for j in range(m - 2):
            a, b, c = np.float32(image[i, j]), np.float32(image[i, j + 1]), np.float32(image[i, j + 2])
            d, e = np.float32(image[i + 1, j]), np.float32(image[i + 1, j + 2])
            p, q, r = np.float32(image[i + 2, j]), np.float32(image[i + 2, j + 1]), np.float32(image[i + 2, j + 2])
            two = np.float32(2)
            across = c - a + two * (e - d) + r - p
            down = p - a + two * (q - b) + r - c
            out[i, j] = np.uint8(min(np.sqrt(across * across + down * down), np.float32(255)))
    return out


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
