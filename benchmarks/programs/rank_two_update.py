"""A <- A + u1 v1^T + u2 v2^T, x <- x + beta A^T y + z, w <- alpha A x.

(Blackford et al., An updated set of Basic Linear Algebra Subprograms, 2002: GEMVER.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": 7, "bench": 3_000}
CHANGED = (0, 5, 7)


def make(n):
    rng = np.random.default_rng(39)
    u1, v1, u2, v2, x, y, w, z = (rng.random(n) for _ in range(8))
    return rng.random((n, n)), u1, v1, u2, v2, x, y, w, z, 1.5, 1.2


def run(a, u1, v1, u2, v2, x, y, w, z, alpha, beta):
    a += np.outer(u1, v1) + np.outer(u2, v2)
    x += beta * (y @ a) + z
    w += alpha * (a @ x)
