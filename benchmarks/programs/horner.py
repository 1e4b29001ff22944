"""A polynomial of scalar coefficients and its derivative at one point after another, by Horner's rule.

(Knuth, The Art of Computer Programming, volume 2, 4.6.4.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (5, 4), "bench": (40, 4_500)}


def make(size):
    degree, points = size
    rng = np.random.default_rng(65)
    return rng.standard_normal(degree + 1), np.linspace(-1.0, 1.0, points)


def run(coefficients, points):
    values = np.empty_like(points)
    slopes = np.empty_like(points)
    for i, x in enumerate(points):
        value, slope = 0.0, 0.0
        for c in coefficients:
            slope = slope * x + value
            value = value * x + c
        values[i] = value
        slopes[i] = slope
    return values, slopes
