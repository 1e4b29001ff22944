"""Lengths of the shortest paths between all pairs of nodes, through one more node in each step.

(Cormen, Leiserson, Rivest and Stein, Introduction to Algorithms, 25.2.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": 8, "bench": 320}
CHANGED = (0,)


def make(n):
    rng = np.random.default_rng(29)
    path = rng.integers(1, 1_000, (n, n))
    path[rng.random((n, n)) < 0.7] = 100_000
    np.fill_diagonal(path, 0)
    return (path,)


def run(path):
    for k in range(path.shape[0]):
        path[:] = np.minimum(path, path[:, k, np.newaxis] + path[k])
