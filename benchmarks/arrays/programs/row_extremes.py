"""Of rows of 1000: the least, the largest, the range, the mean and where the largest stands."""

from __future__ import annotations

import numpy as np

KIND, MOST, PASSES = "reductions and statistics", 10**8, 1


def make(n):
    columns = min(n, 1000)
    return (np.random.default_rng(21).random((n // columns, columns)),)


def run(x):
    low, high = x.min(axis=1), x.max(axis=1)
    return low, high, high - low, x.mean(axis=1), x.argmax(axis=1)
