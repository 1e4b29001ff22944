"""Corners of an image: products of its differences, added up over windows of 3 x 3 pixels.

(C. Harris and M. Stephens, A combined corner and edge detector, Alvey Vision Conference 1988.)
"""

from __future__ import annotations

import numpy as np

KIND, MOST, PASSES = "stencil", 10**8, 2


def make(n):
    side = max(round(n**0.5), 5)
    return (np.random.default_rng(27).random((side, side)),)


def windows(x):
    rows = x[:-2] + x[1:-1] + x[2:]
    return rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]


def run(image):
    across = image[1:-1, 2:] - image[1:-1, :-2]
    down = image[2:, 1:-1] - image[:-2, 1:-1]
    xx, yy, xy = windows(across * across), windows(down * down), windows(across * down)
    return xx * yy - xy * xy - 0.05 * (xx + yy) ** 2
