"""Gini's coefficient, the median, and the share of the richest tenth: a sort and running sums."""

from __future__ import annotations

import numpy as np

KIND, MOST = "indexing-heavy", 10**7


def make(n):
    return (np.random.default_rng(35).pareto(2.5, n),)


def run(income):
    ordered = np.sort(income)
    running = np.cumsum(ordered)
    n = income.size
    gini = (n + 1 - 2.0 * running.sum() / running[-1]) / n
    return gini, ordered[n // 2], 1.0 - running[n - 1 - n // 10] / running[-1]
