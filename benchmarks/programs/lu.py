"""LU factorization in place without pivoting, row by row with inner products (Doolittle).

(Golub and Van Loan, Matrix Computations, 3.2.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": 7, "bench": 200}
CHANGED = (0,)


def make(n):
    return (np.random.default_rng(20).random((n, n)) + n * np.eye(n),)


def run(a):
    n = a.shape[0]
    for i in range(n):
        for j in range(i):
            a[i, j] -= a[i, :j] @ a[:j, j]
            a[i, j] /= a[j, j]
        for j in range(i, n):
            a[i, j] -= a[i, :i] @ a[:i, j]
