"""Weighted least squares of 16 variables by the normal equations, and how well they fit."""

from __future__ import annotations

import numpy as np

KIND, MOST = "linear algebra mixes", 10**7


def make(n):
    rng = np.random.default_rng(30)
    rows = max(n // 16, 24)
    return rng.normal(size=(rows, 16)), rng.normal(size=rows), rng.uniform(0.5, 1.5, rows)


def run(x, y, weight):
    weighted = x * weight[:, None]
    beta = np.linalg.solve(weighted.T @ x, weighted.T @ y)
    residual = y - x @ beta
    return beta, np.sqrt((weight * residual * residual).sum() / weight.sum())
