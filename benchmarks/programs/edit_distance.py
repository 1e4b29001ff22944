"""The edit distance of two sequences (Levenshtein), by the whole table.

(Wagner and Fischer, The string-to-string correction problem, 1974; Gusfield, Algorithms on Strings, 11.3.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (7, 9), "bench": (200, 220)}


def make(size):
    rng = np.random.default_rng(34)
    return rng.integers(0, 4, size[0], dtype=np.uint8), rng.integers(0, 4, size[1], dtype=np.uint8)


def run(a, b):
    distance = np.zeros((len(a) + 1, len(b) + 1), dtype=np.int32)
    distance[:, 0] = np.arange(len(a) + 1)
    distance[0, :] = np.arange(len(b) + 1)
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            change = 0 if a[i - 1] == b[j - 1] else 1
            distance[i, j] = min(distance[i - 1, j] + 1, distance[i, j - 1] + 1, distance[i - 1, j - 1] + change)
    return int(distance[-1, -1])
