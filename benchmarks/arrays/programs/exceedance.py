"""Of rain above a threshold: how often, how much, the mean excess, the largest; dry days are left out."""

from __future__ import annotations

import numpy as np

KIND, MOST, PASSES = "reductions and statistics", 10**8, 1


def make(n):
    rng = np.random.default_rng(19)
    return np.maximum(rng.normal(1.0, 4.0, n), 0.0), 5.0


def run(rain, threshold):
    wet = rain > 0.0
    above = rain > threshold
    total = np.where(wet, rain, 0.0).sum()
    excess = np.where(above, rain - threshold, 0.0).sum()
    return np.count_nonzero(above) / np.count_nonzero(wet), total, excess / np.count_nonzero(above), rain.max()
