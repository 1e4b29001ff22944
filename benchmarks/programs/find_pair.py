"""The first pair of numbers with a given sum, by nested loops that return as soon as it is found.

(The two-sum problem by exhaustive search; Skiena, The Algorithm Design Manual, 4.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": 8, "bench": 700}


def make(n):
    values = 2 * np.random.default_rng(66).integers(0, 10**6, n)
    values[3 * n // 4] = 1
    values[n - 1] = 2 * 10**6
    return values, 2 * 10**6 + 1


def run(values, target):
    for i in range(len(values)):
        for j in range(i + 1, len(values)):
            if values[i] + values[j] == target:
                return i, j
    return -1, -1
