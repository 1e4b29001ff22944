"""A step of gradient descent for linear regression with 32 variables."""

from __future__ import annotations

import numpy as np

KIND, MOST, PASSES = "linear algebra mixes", 10**8, 2


def make(n):
    rng = np.random.default_rng(27)
    rows = max(n // 32, 2)
    return rng.normal(size=(rows, 32)), rng.normal(size=rows), rng.normal(size=32), 0.1


def run(x, y, w, rate):
    error = x @ w - y
    return w - rate * (error @ x) / y.size, (error * error).mean()
