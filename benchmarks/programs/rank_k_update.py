"""The symmetric rank-k update C <- alpha A A^T + beta C of a lower triangle, row by row.

(Blackford et al., An updated set of Basic Linear Algebra Subprograms, 2002: level 3, SYRK.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (6, 4), "bench": (160, 90)}
CHANGED = (0,)


def make(size):
    n, m = size
    rng = np.random.default_rng(25)
    return rng.random((n, n)), rng.random((n, m)), 1.5, 1.2


def run(c, a, alpha, beta):
    for i in range(c.shape[0]):
        c[i, : i + 1] *= beta
        for k in range(a.shape[1]):
            c[i, : i + 1] += alpha * a[i, k] * a[: i + 1, k]
