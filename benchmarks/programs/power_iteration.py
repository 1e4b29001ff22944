"""The largest eigenvalue and its vector by a fixed number of steps of the power method.

(Golub and Van Loan, Matrix Computations, 7.3.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (6, 10), "bench": (300, 1_000)}


def make(size):
    n, steps = size
    b = np.random.default_rng(59).random((n, n))
    return b + b.T, np.ones(n), steps


def run(a, x, steps):
    value = 0.0
    for _ in range(steps):
        y = a @ x
        x = y / np.linalg.norm(y)
        value = x @ a @ x
    return value, x
