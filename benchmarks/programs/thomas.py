"""One tridiagonal system by Thomas' algorithm, element by element.

(Press et al., Numerical Recipes, 2.4.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": 9, "bench": 50_000}


def make(n):
    rng = np.random.default_rng(56)
    a, c = rng.random(n), rng.random(n)
    return a, 1.0 + a + c, c, rng.random(n)


def run(a, b, c, d):
    n = len(d)
    upper = np.zeros(n)
    x = np.zeros(n)
    pivot = b[0]
    x[0] = d[0] / pivot
    for i in range(1, n):
        upper[i] = c[i - 1] / pivot
        pivot = b[i] - a[i] * upper[i]
        x[i] = (d[i] - a[i] * x[i - 1]) / pivot
    for i in range(n - 2, -1, -1):
        x[i] -= upper[i + 1] * x[i + 1]
    return x
