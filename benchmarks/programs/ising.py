"""The Ising model: Metropolis sweeps over a periodic lattice with random numbers drawn before.

(Newman and Barkema, Monte Carlo Methods in Statistical Physics, 3.1.) Gives the energy and the magnetization.
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (5, 3), "bench": (48, 14)}
CHANGED = (0,)


def make(size):
    n, sweeps = size
    rng = np.random.default_rng(69)
    return rng.choice(np.array([-1, 1]), (n, n)), rng.random((sweeps, n, n)), 0.44


def run(spin, uniform, beta):
    sweeps, n, m = uniform.shape
    energy = -np.sum(spin * (np.roll(spin, 1, axis=0) + np.roll(spin, 1, axis=1)))
    for s in range(sweeps):
        for i in range(n):
            for j in range(m):
                neighbours = spin[i - 1, j] + spin[(i + 1) % n, j] + spin[i, j - 1] + spin[i, (j + 1) % m]
                change = 2 * spin[i, j] * neighbours
                if change <= 0 or uniform[s, i, j] < np.exp(-beta * change):
                    spin[i, j] = -spin[i, j]
                    energy += change
    return energy, spin.mean()
