from __future__ import annotations

import numpy as np
from numba import njit


def program(x, charge, grid):
    cells = grid.size - 1
    density = np.zeros(cells + 1)
    for i in range(x.size):
        position = x[i] * cells
        cell = min(int(position), cells - 1)
        part = position - cell
        density[cell] += charge[i] * (1.0 - part)
        density[cell + 1] += charge[i] * part
    field = density + grid
    out = np.empty_like(x)
    for i in range(x.size):
        position = x[i] * cells
        cell = min(int(position), cells - 1)
        part = position - cell
        out[i] = field[cell] * (1.0 - part) + field[cell + 1] * part
    return density, out


run = njit(cache=True)(program)
