"""Five operations, so small that the call is all that counts."""

from __future__ import annotations

import numpy as np

KIND, LEAST, MOST = "small arrays", 8, 10**3


def make(n):
    rng = np.random.default_rng(36)
    return rng.random(n), rng.random(n), rng.random(n)


def run(a, b, c):
    return (a + b) * c - a / (b + 1.0)
