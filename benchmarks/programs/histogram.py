"""A weighted histogram by a loop over the samples, with what lies outside counted at the ends.

(Scott, Multivariate Density Estimation, 3.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (20, 5), "bench": (50_000, 64)}


def make(size):
    samples, bins = size
    rng = np.random.default_rng(68)
    return rng.standard_normal(samples), rng.random(samples), -2.0, 2.0, bins


def run(x, weight, lo, hi, bins):
    count = np.zeros(bins, dtype=np.int64)
    total = np.zeros(bins)
    scale = bins / (hi - lo)
    for i in range(len(x)):
        k = int((x[i] - lo) * scale)
        k = min(max(k, 0), bins - 1)
        count[k] += 1
        total[k] += weight[i]
    return count, total
