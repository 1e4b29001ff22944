"""Lloyd's algorithm for k means, until no point changes its cluster; gives centres, labels and iterations.

(Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 14.3.6.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (20, 2, 3), "bench": (4_000, 3, 12)}


def make(size):
    points, dimensions, clusters = size
    rng = np.random.default_rng(70)
    return rng.random((points, dimensions)), clusters


def run(points, clusters):
    centres = points[:clusters].copy()
    labels = np.full(len(points), -1)
    iterations = 0
    while True:
        distance = ((points[:, np.newaxis, :] - centres) ** 2).sum(axis=2)
        new = distance.argmin(axis=1)
        iterations += 1
        if np.array_equal(new, labels) or iterations == 20:
            break
        labels = new
        for k in range(clusters):
            members = points[labels == k]
            if len(members) > 0:
                centres[k] = members.mean(axis=0)
    return centres, labels, iterations
