from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(image, alpha):
    decay = np.exp(-alpha)
    k = (1.0 - decay) ** 2 / (1.0 + 2.0 * alpha * decay - decay**2)
    a0, a1 = k, k * decay * (alpha - 1.0)
    a2, a3 = k * decay * (alpha + 1.0), -k * decay**2
    b1, b2 = 2.0 * decay, -(decay**2)
    rows, columns = image.shape
    smooth = np.empty_like(image)
    for i in prange(rows):
        x1, y1, y2 = 0.0, 0.0, 0.0
        for j in range(columns):
            x = image[i, j]
            y = a0 * x + a1 * x1 + b1 * y1 + b2 * y2
            smooth[i, j] = y
            x1, y2, y1 = x, y1, y
        x1, x2, y1, y2 = 0.0, 0.0, 0.0, 0.0
        for j in range(columns - 1, -1, -1):
            y = a2 * x1 + a3 * x2 + b1 * y1 + b2 * y2
            smooth[i, j] += y
            x2, x1, y2, y1 = x1, image[i, j], y1, y
    out = np.empty_like(image)
    width = 16
    for block in prange((columns + width - 1) // width):
        lo, hi = block * width, min(columns, (block + 1) * width)
        previous = np.zeros((4, width))
        for i in range(rows):
            for j in range(lo, hi):
                x = smooth[i, j]
                y = a0 * x + a1 * previous[0, j - lo] + b1 * previous[2, j - lo] + b2 * previous[3, j - lo]
                out[i, j] = y
                previous[0, j - lo] = x
                previous[3, j - lo] = previous[2, j - lo]
                previous[2, j - lo] = y
        previous = np.zeros((4, width))
        for i in range(rows - 1, -1, -1):
            for j in range(lo, hi):
                y = (
                    a2 * previous[0, j - lo] + a3 * previous[1, j - lo]
                    + b1 * previous[2, j - lo] + b2 * previous[3, j - lo]
                )  # fmt: skip
                out[i, j] += y
                previous[1, j - lo] = previous[0, j - lo]
                previous[0, j - lo] = smooth[i, j]
                previous[3, j - lo] = previous[2, j - lo]
                previous[2, j - lo] = y
    return out


run = njit(program)
run_parallel = njit(parallel=True)(program)
