"""Four steps of the wave equation in a box with a speed that varies; two time levels change places."""

from __future__ import annotations

import numpy as np

KIND, MOST, PASSES, CHANGED = "stencil", 10**7, 4, (0, 1)


def make(n):
    side = max(round(n ** (1 / 3)), 3)
    rng = np.random.default_rng(12)
    shape = (side, side, side)
    start = rng.random(shape)
    return start, start.copy(), rng.uniform(0.05, 0.2, shape)


def run(u, before, c2):
    for _ in range(2):
        for old, new in ((u, before), (before, u)):
            here = old[1:-1, 1:-1, 1:-1]
            spread = (
                old[2:, 1:-1, 1:-1] + old[:-2, 1:-1, 1:-1]
                + old[1:-1, 2:, 1:-1] + old[1:-1, :-2, 1:-1]
                + old[1:-1, 1:-1, 2:] + old[1:-1, 1:-1, :-2]
                - 6.0 * here
            )  # fmt: skip
            new[1:-1, 1:-1, 1:-1] = 2.0 * here - new[1:-1, 1:-1, 1:-1] + c2[1:-1, 1:-1, 1:-1] * spread
