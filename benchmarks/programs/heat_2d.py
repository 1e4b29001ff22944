"""The heat equation on a square with a conductivity that varies in space, in flux form; ends are insulated.

The flux through each face is the mean conductivity of the two cells times the difference of their temperatures; each
cell gains what flows in. (Patankar, Numerical Heat Transfer and Fluid Flow, chapter 4.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (8, 4), "bench": (200, 300)}


def make(size):
    n, steps = size
    rng = np.random.default_rng(4)
    return rng.random((n, n)), 0.5 + rng.random((n, n)), 0.1, steps


def run(temperature, conductivity, dt, steps):
    u = temperature.copy()
    east = 0.5 * (conductivity[:, 1:] + conductivity[:, :-1])
    north = 0.5 * (conductivity[1:] + conductivity[:-1])
    heat = [u.sum()]
    for _ in range(steps):
        flux_x = east * (u[:, 1:] - u[:, :-1])
        flux_y = north * (u[1:] - u[:-1])
        u[:, :-1] += dt * flux_x
        u[:, 1:] -= dt * flux_x
        u[:-1] += dt * flux_y
        u[1:] -= dt * flux_y
    heat.append(u.sum())
    return u, heat[1] / heat[0]
