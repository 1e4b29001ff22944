"""The largest number of base pairs in a folding of an RNA sequence (Nussinov's algorithm).

(Durbin, Eddy, Krogh and Mitchison, Biological Sequence Analysis, 10.2.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": 8, "bench": 80}


def make(n):
    return (np.random.default_rng(33).integers(0, 4, n),)


def pairs(a, b):
    return 1 if a + b == 3 else 0


def run(bases):
    n = len(bases)
    table = np.zeros((n, n), dtype=np.int64)
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            table[i, j] = max(table[i, j - 1], table[i + 1, j])
            if i < j - 1:
                table[i, j] = max(table[i, j], table[i + 1, j - 1] + pairs(bases[i], bases[j]))
            else:
                table[i, j] = max(table[i, j], table[i + 1, j - 1])
            for k in range(i + 1, j):
                table[i, j] = max(table[i, j], table[i, k] + table[k + 1, j])
    return table
