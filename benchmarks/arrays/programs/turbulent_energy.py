"""A step of turbulent kinetic energy in columns of water: production, decay, and vertical diffusion, implicit in time.

Written from Gaspar, Gregoris and Lefevre, J. Geophys. Res. 95 (1990): mixing length by the stratification, one
equation. The tridiagonal systems of all columns are solved at once: LAPACK's `gtsv`, through SciPy, over one diagonal.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

KIND, MOST = "ocean model", 4 * 10**6


def make(n):
    side = max(round((n / 25) ** 0.5), 2)
    rng = np.random.default_rng(39)
    shape = (side, side, 25)
    return (
        1e-4 * rng.random(shape),
        0.1 * rng.normal(size=shape),
        0.1 * rng.normal(size=shape),
        1e-5 * rng.random(shape),
        10.0,
        600.0,
    )


def run(energy, u, v, stratification, dz, dt):
    root = np.sqrt(np.maximum(energy, 1e-6))
    length = np.minimum(np.sqrt(2.0) * root / np.sqrt(np.maximum(stratification, 1e-8)), 50.0)
    viscosity = np.clip(0.1 * length * root, 1e-5, 10.0)
    shear = np.zeros_like(u)
    shear[:, :, :-1] = ((u[:, :, 1:] - u[:, :, :-1]) / dz) ** 2 + ((v[:, :, 1:] - v[:, :, :-1]) / dz) ** 2
    between = np.zeros_like(u)
    between[:, :, :-1] = dt * 0.5 * (viscosity[:, :, 1:] + viscosity[:, :, :-1]) * 30.0 / dz**2
    below = np.zeros_like(u)
    below[:, :, 1:] = between[:, :, :-1]
    middle = 1.0 + between + below + dt * 0.7 * root / length
    right = energy + dt * (viscosity * shear - viscosity * stratification / 10.0)
    solution = lapack.dgtsv(-below.reshape(-1)[1:], middle.reshape(-1), -between.reshape(-1)[:-1], right.reshape(-1))[3]
    return np.maximum(solution.reshape(energy.shape), 1e-6), viscosity
