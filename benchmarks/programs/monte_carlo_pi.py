"""The area of a circle from random points, drawn one at a time, as introductions to Monte Carlo methods have it.

(Metropolis and Ulam, Journal of the American Statistical Association 44, 1949.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": 200, "bench": 500_000}


def make(n):
    return np.random.default_rng(70), n


def run(rng, n):
    inside = 0
    for _ in range(n):
        x = rng.random()
        y = rng.random()
        if x * x + y * y < 1:
            inside += 1
    return 4 * inside / n
