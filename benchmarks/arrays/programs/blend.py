"""Two images put over each other with a mask, then gamma by a square root; single precision."""

from __future__ import annotations

import numpy as np

KIND, MOST, PASSES = "float32 and complex", 10**8, 1


def make(n):
    rng = np.random.default_rng(23)
    return rng.random(n, np.float32), rng.random(n, np.float32), rng.random(n, np.float32)


def run(front, back, mask):
    return np.sqrt(np.clip(front * mask + back * (1 - mask), 0, 1))
