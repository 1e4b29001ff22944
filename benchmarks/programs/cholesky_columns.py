"""Cholesky factorization by columns with matrix-vector products.

(Golub and Van Loan, Matrix Computations, 4.2: the gaxpy version.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": 7, "bench": 1_000}


def make(n):
    b = np.random.default_rng(22).random((n, n))
    return (b @ b.T + n * np.eye(n),)


def run(a):
    n = a.shape[0]
    factor = np.zeros_like(a)
    for k in range(n):
        column = a[k:, k] - factor[k:, :k] @ factor[k, :k]
        factor[k:, k] = column / np.sqrt(column[0])
    return factor
