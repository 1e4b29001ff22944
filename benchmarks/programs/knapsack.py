"""The 0/1 knapsack problem by dynamic programming over capacities, one row for all items.

(Kellerer, Pferschy and Pisinger, Knapsack Problems, 2.3.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (6, 30), "bench": (1_200, 40_000)}


def make(size):
    items, capacity = size
    rng = np.random.default_rng(35)
    return rng.integers(1, max(2, capacity // 4), items), rng.integers(1, 1_000, items), capacity


def run(weights, values, capacity):
    best = np.zeros(capacity + 1, dtype=np.int64)
    for weight, value in zip(weights, values):
        best[weight:] = np.maximum(best[weight:], best[:-weight] + value)
    return best[capacity]
