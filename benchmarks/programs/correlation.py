"""The correlation matrix of the columns of a table; columns that do not vary count as of unit deviation.

(Rice, Mathematical Statistics and Data Analysis, 4.3.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (9, 6), "bench": (400, 130)}


def make(size):
    n, m = size
    data = np.random.default_rng(37).random((n, m))
    data[:, m // 2] = 0.25
    return (data,)


def run(data):
    n, m = data.shape
    deviation = data.std(axis=0)
    deviation[deviation <= 1e-8] = 1.0
    standard = (data - data.mean(axis=0)) / (np.sqrt(n) * deviation)
    correlation = np.eye(m)
    for i in range(m - 1):
        for j in range(i + 1, m):
            correlation[i, j] = np.sum(standard[:, i] * standard[:, j])
            correlation[j, i] = correlation[i, j]
    return correlation
