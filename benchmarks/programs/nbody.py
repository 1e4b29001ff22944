"""Gravitating particles by the leapfrog scheme (kick, drift, kick), with the energy at every step.

Forces from all pairs by broadcasting, softened. (Hockney and Eastwood, Computer Simulation Using Particles, 4.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (5, 3), "bench": (100, 60)}
CHANGED = (0, 1)


def make(size):
    n, steps = size
    rng = np.random.default_rng(50)
    return rng.standard_normal((n, 3)), rng.standard_normal((n, 3)), np.full(n, 20.0 / n), 0.01, 0.1, steps


def acceleration(position, mass, softening):
    x, y, z = position[:, 0:1], position[:, 1:2], position[:, 2:3]
    dx, dy, dz = x.T - x, y.T - y, z.T - z
    inverse = (dx**2 + dy**2 + dz**2 + softening**2) ** (-1.5)
    ax = (dx * inverse) @ mass
    ay = (dy * inverse) @ mass
    az = (dz * inverse) @ mass
    return np.stack((ax, ay, az), axis=1)


def energy(position, velocity, mass):
    kinetic = 0.5 * np.sum(mass[:, np.newaxis] * velocity**2)
    difference = position[:, np.newaxis] - position
    distance = np.sqrt(np.sum(difference**2, axis=2))
    pairs = np.triu(np.ones(distance.shape, dtype=bool), 1)
    safe = np.where(pairs, distance, 1.0)
    potential = -np.sum(np.where(pairs, mass * mass[:, np.newaxis] / safe, 0.0))
    return kinetic, potential


def run(position, velocity, mass, dt, softening, steps):
    kinetic = np.empty(steps + 1)
    potential = np.empty(steps + 1)
    velocity -= np.mean(mass[:, np.newaxis] * velocity, axis=0) / np.mean(mass)
    force = acceleration(position, mass, softening)
    kinetic[0], potential[0] = energy(position, velocity, mass)
    for step in range(1, steps + 1):
        velocity += 0.5 * dt * force
        position += dt * velocity
        force = acceleration(position, mass, softening)
        velocity += 0.5 * dt * force
        kinetic[step], potential[step] = energy(position, velocity, mass)
    return kinetic, potential
