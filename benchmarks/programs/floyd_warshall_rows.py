"""Lengths of the shortest paths between all pairs of nodes, one row at a time.

(Cormen, Leiserson, Rivest and Stein, Introduction to Algorithms, 25.2.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": 8, "bench": 150}
CHANGED = (0,)


def make(n):
    return (np.random.default_rng(30).uniform(1.0, 100.0, (n, n)),)


def run(path):
    n = path.shape[0]
    for k in range(n):
        for i in range(n):
            path[i, :] = np.minimum(path[i, :], path[i, k] + path[k, :])
