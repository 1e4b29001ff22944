"""A product of two matrices, element by element."""

from __future__ import annotations

import numpy as np

SIZES = {"test": (5, 7, 20), "bench": (120, 100, 110)}


def make(size):
    rows, inner, columns = size
    rng = np.random.default_rng(61)
    return rng.random((rows, inner)), rng.random((inner, columns))


def run(a, b):
    c = np.zeros((a.shape[0], b.shape[1]))
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            for k in range(a.shape[1]):
                c[i, j] += a[i, k] * b[k, j]
    return c
