"""The QR factorization by the modified Gram-Schmidt process; the matrix is overwritten.

(Golub and Van Loan, Matrix Computations, 5.2.8.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (9, 6), "bench": (160, 150)}
CHANGED = (0,)


def make(size):
    m, n = size
    return (np.random.default_rng(24).random((m, n)) + np.eye(m, n),)


def run(a):
    m, n = a.shape
    q = np.zeros((m, n))
    r = np.zeros((n, n))
    for k in range(n):
        r[k, k] = np.sqrt(a[:, k] @ a[:, k])
        q[:, k] = a[:, k] / r[k, k]
        for j in range(k + 1, n):
            r[k, j] = q[:, k] @ a[:, j]
            a[:, j] -= q[:, k] * r[k, j]
    return q, r
