"""The Yule-Walker equations T y = -r of a symmetric Toeplitz matrix, by Durbin's recurrence.

(Golub and Van Loan, Matrix Computations, algorithm 4.7.1.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": 8, "bench": 4_000}


def make(n):
    # Twice the sum of their sizes is below 1: the matrix is positive definite.
    return (np.random.default_rng(23).uniform(-0.15, 0.15, n) / np.arange(1, n + 1) ** 1.2,)


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
