"""Lorenz' equations by the classical Runge-Kutta method, on a vector of three numbers.

(Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, II.1.) Gives the trajectory.
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": 5, "bench": 2_500}


def make(steps):
    return np.array([1.0, 2.0, 20.0]), 0.005, steps


def lorenz(y):
    return np.array([10.0 * (y[1] - y[0]), y[0] * (28.0 - y[2]) - y[1], y[0] * y[1] - 8.0 / 3.0 * y[2]])


def run(y, h, steps):
    path = np.empty((steps + 1, 3))
    path[0] = y
    for n in range(steps):
        k1 = lorenz(y)
        k2 = lorenz(y + 0.5 * h * k1)
        k3 = lorenz(y + 0.5 * h * k2)
        k4 = lorenz(y + h * k3)
        y = y + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        path[n + 1] = y
    return path
