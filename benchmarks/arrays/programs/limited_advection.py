"""A step of advection on a line with van Leer's limiter (finite volumes, constant speed, open ends)."""

from __future__ import annotations

import numpy as np

KIND, MOST, PASSES = "stencil", 10**8, 1


def make(n):
    return np.random.default_rng(15).random(n), 0.4


def run(u, courant):
    left, right = u[1:-1] - u[:-2], u[2:] - u[1:-1]
    product = left * right
    slope = np.where(product > 0.0, 2.0 * product / (left + right + 1e-300), 0.0)
    flux = courant * (u[1:-1] + 0.5 * (1.0 - courant) * slope)
    new = u.copy()
    new[2:-1] -= flux[1:] - flux[:-1]
    return new
