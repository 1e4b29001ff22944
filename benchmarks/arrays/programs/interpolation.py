"""Linear interpolation in a table of equal steps: positions, gathers, a mix."""

from __future__ import annotations

import numpy as np

KIND, MOST = "indexing-heavy", 10**7


def make(n):
    rng = np.random.default_rng(31)
    return rng.uniform(0.0, 1.0, n), np.sort(rng.random(1000))


def run(x, table):
    position = x * (table.size - 1)
    low = np.minimum(position.astype(np.int64), table.size - 2)
    part = position - low
    return table[low] * (1.0 - part) + table[low + 1] * part
