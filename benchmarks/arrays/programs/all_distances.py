"""Distances between all pairs of points in eight dimensions, by one matrix product."""

from __future__ import annotations

import numpy as np

KIND, MOST = "linear algebra mixes", 10**7


def make(n):
    points = max(round(n**0.5), 2)
    rng = np.random.default_rng(28)
    return rng.normal(size=(points, 8)), rng.normal(size=(points, 8))


def run(a, b):
    squares = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2.0 * (a @ b.T)
    return np.sqrt(np.maximum(squares, 0.0))
