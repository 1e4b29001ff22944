"""Conway's game of life on a torus, with neighbours counted by rolled copies.

(Gardner, Mathematical Games, Scientific American 223, 1970.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (9, 5), "bench": (200, 320)}


def make(size):
    n, generations = size
    return np.random.default_rng(13).random((n, n)) < 0.3, generations


def run(alive, generations):
    for _ in range(generations):
        count = np.zeros(alive.shape, dtype=np.int8)
        for di in (-1, 0, 1):
            for dj in (-1, 0, 1):
                if di or dj:
                    count += np.roll(alive, (di, dj), axis=(0, 1))
        alive = (count == 3) | (alive & (count == 2))
    return alive
