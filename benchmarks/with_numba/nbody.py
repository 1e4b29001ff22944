from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(position, velocity, mass, dt, softening, steps):
    n = len(mass)
    kinetic = np.empty(steps + 1)
    potential = np.empty(steps + 1)
    for d in range(3):
        velocity[:, d] -= np.mean(mass * velocity[:, d]) / np.mean(mass)
    force = np.zeros((n, 3))
    for step in range(steps + 1):
        if step > 0:
            for i in prange(n):
                for d in range(3):
                    velocity[i, d] += 0.5 * dt * force[i, d]
                    position[i, d] += dt * velocity[i, d]
        energy, pairs = 0.0, 0.0
        for i in prange(n):
            ax, ay, az, share = 0.0, 0.0, 0.0, 0.0
            for j in range(n):
                dx = position[j, 0] - position[i, 0]
                dy = position[j, 1] - position[i, 1]
                dz = position[j, 2] - position[i, 2]
                distance2 = dx * dx + dy * dy + dz * dz
                soft = distance2 + softening**2
                inverse = mass[j] / (soft * np.sqrt(soft))
                ax += dx * inverse
                ay += dy * inverse
                az += dz * inverse
                if j != i:
                    share += mass[j] / np.sqrt(distance2)
            force[i, 0], force[i, 1], force[i, 2] = ax, ay, az
            pairs += 0.5 * mass[i] * share
            if step > 0:
                for d in range(3):
                    velocity[i, d] += 0.5 * dt * force[i, d]
            energy += 0.5 * mass[i] * (velocity[i, 0] ** 2 + velocity[i, 1] ** 2 + velocity[i, 2] ** 2)
        kinetic[step], potential[step] = energy, -pairs
    return kinetic, potential


run = njit(program)
run_parallel = njit(parallel=True)(program)
