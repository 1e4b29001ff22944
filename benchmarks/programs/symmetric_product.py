"""C <- alpha A B + beta C where only the lower triangle of the symmetric A is stored.

(Blackford et al., An updated set of Basic Linear Algebra Subprograms, 2002: level 3, SYMM.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (6, 5), "bench": (100, 90)}
CHANGED = (0,)


def make(size):
    m, n = size
    rng = np.random.default_rng(28)
    return rng.random((m, n)), rng.random((m, m)), rng.random((m, n)), 1.5, 1.2


def run(c, a, b, alpha, beta):
    m, n = c.shape
    below = np.empty(n)
    c *= beta
    for i in range(m):
        for j in range(n):
            c[:i, j] += alpha * b[i, j] * a[i, :i]
            below[j] = b[:i, j] @ a[i, :i]
        c[i, :] += alpha * b[i, :] * a[i, i] + alpha * below
