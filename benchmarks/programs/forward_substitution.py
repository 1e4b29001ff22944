"""The lower triangular system L x = b, by inner products with what is known of x.

(Golub and Van Loan, Matrix Computations, 3.1: row-oriented forward substitution.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": 9, "bench": 5_000}
CHANGED = (1,)


def make(n):
    rng = np.random.default_rng(23)
    return np.tril(rng.random((n, n))) / n + np.eye(n), rng.random(n), rng.random(n)


def run(lower, x, b):
    for i in range(len(b)):
        x[i] = (b[i] - lower[i, :i] @ x[:i]) / lower[i, i]
