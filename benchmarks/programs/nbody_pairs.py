"""Gravitating particles with the forces pair by pair, action equal to reaction.

(Newman, Computational Physics, chapter 8; Newton's third law halves the pairs.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (4, 3), "bench": (24, 30)}
CHANGED = (0, 1)


def make(size):
    n, steps = size
    rng = np.random.default_rng(51)
    return rng.standard_normal((n, 3)), 0.1 * rng.standard_normal((n, 3)), rng.random(n), 0.01, steps


def run(position, velocity, mass, dt, steps):
    n = len(mass)
    for _ in range(steps):
        for i in range(n):
            for j in range(i + 1, n):
                difference = position[i] - position[j]
                distance2 = difference @ difference + 1e-3
                pull = dt / (distance2 * np.sqrt(distance2))
                velocity[i] -= pull * mass[j] * difference
                velocity[j] += pull * mass[i] * difference
        position += dt * velocity
