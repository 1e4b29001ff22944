"""Products of a matrix and its transpose with two vectors each, accumulated row by row.

(The two products in each step of the biconjugate gradients; Saad, Iterative Methods for Sparse Linear Systems, 7.3.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (7, 5), "bench": (4_000, 3_000)}
CHANGED = (0, 1)


def make(size):
    n, m = size
    rng = np.random.default_rng(38)
    return np.zeros(m), np.zeros(n), rng.random((n, m)), rng.random(m), rng.random(n)


def run(s, q, a, p, r):
    for i in range(a.shape[0]):
        s += r[i] * a[i, :]
        q[i] += a[i, :] @ p
