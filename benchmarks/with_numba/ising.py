from __future__ import annotations

import numpy as np
from numba import njit


def program(spin, uniform, beta):
    sweeps, n, m = uniform.shape
    energy = 0
    for i in range(n):
        for j in range(m):
            energy -= spin[i, j] * (spin[i - 1, j] + spin[i, j - 1])
    for s in range(sweeps):
        for i in range(n):
            for j in range(m):
                neighbours = spin[i - 1, j] + spin[(i + 1) % n, j] + spin[i, j - 1] + spin[i, (j + 1) % m]
                change = 2 * spin[i, j] * neighbours
                if change <= 0 or uniform[s, i, j] < np.exp(-beta * change):
                    spin[i, j] = -spin[i, j]
                    energy += change
    return energy, spin.mean()


run = njit(program)
