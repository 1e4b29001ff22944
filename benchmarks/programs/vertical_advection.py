"""Implicit vertical advection of a field by Crank-Nicolson: coefficients, elimination and substitution by level.

The tridiagonal system of each column couples the levels through the mean vertical velocity at their interfaces.
(Durran, Numerical Methods for Fluid Dynamics, 3.4; Thomas' algorithm over k.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (4, 5, 6), "bench": (128, 128, 80)}


def make(size):
    nx, ny, nz = size
    rng = np.random.default_rng(55)
    return rng.random((nx, ny, nz)), 0.5 * rng.standard_normal((nx + 1, ny, nz + 1)), 0.15


def run(field, velocity, dt):
    nx, ny, nz = field.shape
    upper = np.zeros((nx, ny, nz))
    right = np.zeros((nx, ny, nz))
    for k in range(nz):
        courant = 0.25 * dt * (velocity[1:, :, k] + velocity[:-1, :, k])
        courant_up = 0.25 * dt * (velocity[1:, :, k + 1] + velocity[:-1, :, k + 1])
        below = -courant if k > 0 else np.zeros((nx, ny))
        above = courant_up if k < nz - 1 else np.zeros((nx, ny))
        diagonal = 1.0 - above - below
        rhs = field[:, :, k].copy()
        if k > 0:
            rhs += below * (field[:, :, k] - field[:, :, k - 1])
        if k < nz - 1:
            rhs -= above * (field[:, :, k + 1] - field[:, :, k])
        if k == 0:
            upper[:, :, k] = above / diagonal
            right[:, :, k] = rhs / diagonal
        else:
            pivot = diagonal - upper[:, :, k - 1] * below
            upper[:, :, k] = above / pivot
            right[:, :, k] = (rhs - right[:, :, k - 1] * below) / pivot
    out = np.empty_like(field)
    for k in range(nz - 1, -1, -1):
        if k == nz - 1:
            out[:, :, k] = right[:, :, k]
        else:
            out[:, :, k] = right[:, :, k] - upper[:, :, k] * out[:, :, k + 1]
    return out
