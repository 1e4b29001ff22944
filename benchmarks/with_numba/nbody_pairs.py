from __future__ import annotations

import numpy as np
from numba import njit


def program(position, velocity, mass, dt, steps):
    n = len(mass)
    for _ in range(steps):
        for i in range(n):
            for j in range(i + 1, n):
                dx = position[i, 0] - position[j, 0]
                dy = position[i, 1] - position[j, 1]
                dz = position[i, 2] - position[j, 2]
                distance2 = dx * dx + dy * dy + dz * dz + 1e-3
                pull = dt / (distance2 * np.sqrt(distance2))
                velocity[i, 0] -= pull * mass[j] * dx
                velocity[i, 1] -= pull * mass[j] * dy
                velocity[i, 2] -= pull * mass[j] * dz
                velocity[j, 0] += pull * mass[i] * dx
                velocity[j, 1] += pull * mass[i] * dy
                velocity[j, 2] += pull * mass[i] * dz
        for i in range(n):
            for d in range(3):
                position[i, d] += dt * velocity[i, d]


run = njit(program)
