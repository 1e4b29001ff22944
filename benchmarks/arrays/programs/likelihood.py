"""The logarithm of the likelihood of measurements with normal errors of known size."""

from __future__ import annotations

import numpy as np

KIND, MOST, PASSES = "reductions and statistics", 10**8, 1


def make(n):
    rng = np.random.default_rng(20)
    return rng.normal(1.0, 2.0, n), rng.uniform(0.5, 3.0, n), 1.1


def run(x, sigma, mean):
    deviation = (x - mean) / sigma
    return -0.5 * (deviation * deviation).sum() - np.log(sigma).sum() - 0.9189385332046727 * x.size
