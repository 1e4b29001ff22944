"""The Yule-Walker equations T y = -r of a symmetric Toeplitz matrix, by Durbin's recurrence.

(Golub and Van Loan, Matrix Computations, algorithm 4.7.1.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": 8, "bench": 4_000}


def make(n):
    return (0.5 * 0.9 ** np.arange(n) * np.cos(np.arange(n)),)


def run(r):
    y = np.empty_like(r)
    y[0] = -r[0]
    alpha = -r[0]
    beta = 1.0
    for k in range(1, len(r)):
        beta *= 1.0 - alpha * alpha
        alpha = -(r[k] + np.dot(r[:k][::-1], y[:k])) / beta
        y[:k] += alpha * y[:k][::-1]
        y[k] = alpha
    return y
