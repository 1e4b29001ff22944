"""B <- alpha L^T B in place for a unit lower triangle L.

(Blackford et al., An updated set of Basic Linear Algebra Subprograms, 2002: level 3, TRMM.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (6, 5), "bench": (150, 160)}
CHANGED = (1,)


def make(size):
    m, n = size
    rng = np.random.default_rng(27)
    return rng.random((m, m)), rng.random((m, n)), 1.5


def run(lower, b, alpha):
    m, n = b.shape
    for i in range(m):
        for j in range(n):
            b[i, j] += np.dot(lower[i + 1 :, i], b[i + 1 :, j])
    b *= alpha
