"""Bad values of a series are written over under masks: what is too small, too large, and not a number."""

from __future__ import annotations

import numpy as np

KIND, MOST = "indexing-heavy", 10**7


def make(n):
    rng = np.random.default_rng(33)
    x = rng.normal(size=n)
    x[rng.random(n) < 0.05] = np.nan
    return x, -1.5, 2.0


def run(x, low, high):
    y = x.copy()
    y[np.isnan(y)] = 0.0
    y[y < low] = low
    above = y > high
    y[above] = high + 0.1 * (y[above] - high)
    return y
