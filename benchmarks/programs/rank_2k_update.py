"""The symmetric rank-2k update C <- alpha (A B^T + B A^T) + beta C of a lower triangle, row by row.

(Blackford et al., An updated set of Basic Linear Algebra Subprograms, 2002: level 3, SYR2K.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (6, 4), "bench": (150, 50)}
CHANGED = (0,)


def make(size):
    n, m = size
    rng = np.random.default_rng(26)
    return rng.random((n, n)), rng.random((n, m)), rng.random((n, m)), 1.5, 1.2


def run(c, a, b, alpha, beta):
    for i in range(c.shape[0]):
        c[i, : i + 1] *= beta
        for k in range(a.shape[1]):
            c[i, : i + 1] += alpha * (a[: i + 1, k] * b[i, k] + b[: i + 1, k] * a[i, k])
