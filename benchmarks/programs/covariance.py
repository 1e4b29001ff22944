"""The covariance matrix, one row of the triangle at a time, mirrored.

(Rice, Mathematical Statistics and Data Analysis, 4.3.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (9, 6), "bench": (1_500, 400)}
CHANGED = (0,)


def make(size):
    n, m = size
    return (np.random.default_rng(36).random((n, m)),)


def run(data):
    n, m = data.shape
    data -= data.mean(axis=0)
    covariance = np.zeros((m, m))
    for i in range(m):
        covariance[i:, i] = data[:, i] @ data[:, i:] / (n - 1.0)
        covariance[i, i:] = covariance[i:, i]
    return covariance
