"""Differences over the edges of a graph, read from its nodes and added up at their ends."""

from __future__ import annotations

import numpy as np

KIND, MOST = "indexing-heavy", 10**7


def make(n):
    rng = np.random.default_rng(34)
    nodes = max(n // 6, 2)
    return rng.random(nodes), rng.integers(0, nodes, n), rng.integers(0, nodes, n), rng.random(n), 0.05


def run(u, start, end, weight, dt):
    flow = dt * weight * (u[end] - u[start])
    change = np.zeros_like(u)
    np.add.at(change, start, flow)
    np.subtract.at(change, end, flow)
    return u + change
