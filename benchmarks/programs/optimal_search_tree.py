"""The optimal binary search tree for given frequencies of the keys, with the three loops written out.

(Cormen, Leiserson, Rivest and Stein, Introduction to Algorithms, 15.5.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": 6, "bench": 90}


def make(n):
    return (np.random.default_rng(32).random(n),)


def run(frequency):
    n = len(frequency)
    total = np.zeros(n + 1)
    total[1:] = np.cumsum(frequency)
    cost = np.zeros((n + 1, n + 1))
    root = np.zeros((n, n), dtype=np.int64)
    for length in range(1, n + 1):
        for i in range(n - length + 1):
            j = i + length
            best = np.inf
            for k in range(i, j):
                c = cost[i, k] + cost[k + 1, j]
                if c < best:
                    best = c
                    root[i, j - 1] = k
            cost[i, j] = best + total[j] - total[i]
    return cost[0, n], root
