"""The least number of multiplications for a chain of matrices, by dynamic programming over lengths.

cost[i, j] = min over k of cost[i, k] + cost[k + 1, j] + d_{i} d_{k+1} d_{j+1}. (Cormen, Leiserson, Rivest and Stein,
Introduction to Algorithms, 15.2.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": 7, "bench": 120}


def make(n):
    return (np.random.default_rng(31).integers(2, 60, n + 1),)


def run(dimensions):
    n = len(dimensions) - 1
    cost = np.zeros((n, n), dtype=np.int64)
    for length in range(2, n + 1):
        for i in range(n - length + 1):
            j = i + length - 1
            outer = dimensions[i] * dimensions[j + 1]
            cost[i, j] = np.min(cost[i, i:j] + cost[i + 1 : j + 1, j] + outer * dimensions[i + 1 : j + 1])
    return cost[0, n - 1]
