"""Mean, deviation, skewness, excess, least and largest of a series."""

from __future__ import annotations

import numpy as np

KIND, MOST, PASSES = "reductions and statistics", 10**8, 2


def make(n):
    return (np.random.default_rng(16).gamma(2.0, 1.5, n),)


def run(x):
    mean = x.mean()
    centred = x - mean
    square = centred * centred
    variance = square.mean()
    skewness = (square * centred).mean() / variance**1.5
    excess = (square * square).mean() / variance**2 - 3.0
    return mean, np.sqrt(variance), skewness, excess, x.min(), x.max()
