"""Charge of particles on a line given to the two nearest nodes, by np.bincount; the field is read back at each."""

from __future__ import annotations

import numpy as np

KIND, MOST = "indexing-heavy", 10**7


def make(n):
    rng = np.random.default_rng(32)
    return rng.uniform(0.0, 1.0, n), rng.normal(size=n), np.zeros(513)


def run(x, charge, grid):
    cells = grid.size - 1
    position = x * cells
    cell = np.minimum(position.astype(np.int64), cells - 1)
    part = position - cell
    density = np.bincount(cell, charge * (1.0 - part), cells + 1) + np.bincount(cell + 1, charge * part, cells + 1)
    field = density + grid
    return density, field[cell] * (1.0 - part) + field[cell + 1] * part
