"""Columns to mean 0 and deviation 1."""

from __future__ import annotations

import numpy as np

KIND, MOST, PASSES = "reductions and statistics", 10**8, 2


def make(n):
    return (np.random.default_rng(17).normal(3.0, 2.0, (max(n // 50, 2), 50)),)


def run(table):
    return (table - table.mean(axis=0)) / table.std(axis=0)
