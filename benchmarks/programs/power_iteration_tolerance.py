"""The largest eigenvalue by the power method, until it changes by less than a tolerance; gives the number of steps.

(Golub and Van Loan, Matrix Computations, 7.3.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (6, 1e-9), "bench": (250, 1e-12)}


def make(size):
    n, tolerance = size
    rng = np.random.default_rng(60)
    q, _ = np.linalg.qr(rng.standard_normal((n, n)))
    values = np.linspace(0.1, 1.0, n)
    return q @ np.diag(values) @ q.T, rng.standard_normal(n), tolerance


def run(a, x, tolerance):
    old, value, steps = 0.0, 1.0, 0
    while abs(value - old) > tolerance:
        old = value
        x = a @ x
        value = np.sqrt(x @ x)
        x /= value
        steps += 1
    return value, steps
