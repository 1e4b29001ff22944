"""Maxwell's equations in the plane, transverse electric, on Yee's staggered grid with a source at one side.

(Taflove and Hagness, Computational Electrodynamics: The Finite-Difference Time-Domain Method, chapter 3.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (8, 9, 4), "bench": (200, 220, 200)}
CHANGED = (0, 1, 2)


def make(size):
    n, m, steps = size
    rng = np.random.default_rng(9)
    source = np.sin(0.1 * np.arange(steps)) * np.exp(-0.01 * np.arange(steps))
    return rng.random((n, m)), rng.random((n, m)), rng.random((n, m)), source


def run(ex, ey, hz, source):
    for t in range(len(source)):
        ey[0, :] = source[t]
        ey[1:, :] -= 0.5 * (hz[1:, :] - hz[:-1, :])
        ex[:, 1:] += 0.5 * (hz[:, 1:] - hz[:, :-1])
        hz[:-1, :-1] -= 0.7 * (ey[1:, :-1] - ey[:-1, :-1] - ex[:-1, 1:] + ex[:-1, :-1])
