"""Cholesky factorization in place in the lower triangle, row by row with inner products.

(Golub and Van Loan, Matrix Computations, 4.2.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": 7, "bench": 240}
CHANGED = (0,)


def make(n):
    b = np.random.default_rng(21).random((n, n))
    return (b @ b.T + n * np.eye(n),)


def run(a):
    n = a.shape[0]
    for i in range(n):
        for j in range(i):
            a[i, j] -= np.dot(a[i, :j], a[j, :j])
            a[i, j] /= a[j, j]
        a[i, i] -= np.dot(a[i, :i], a[i, :i])
        a[i, i] = np.sqrt(a[i, i])
