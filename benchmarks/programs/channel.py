"""Flow between two plates driven by a force, periodic along the channel, until the velocity stops changing.

Upwind advection, central diffusion and a pressure Poisson equation of a few sweeps in each step; the loop ends when
the relative change of the velocity's sum is below a tolerance. Gives the number of steps. (Ferziger and Peric,
Computational Methods for Fluid Dynamics, chapter 7; Barba and Forsyth, CFD Python, step 12.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (8, 3, 0.2), "bench": (41, 20, 0.012)}
CHANGED = (0, 1, 2)


def make(size):
    n, sweeps, tolerance = size
    rng = np.random.default_rng(12)
    v = 1e-3 * rng.standard_normal((n, n))
    v[0, :] = v[-1, :] = 0.0
    return np.zeros((n, n)), v, np.zeros((n, n)), 2.0 / (n - 1), 0.005, 1.0, 0.1, 1.0, sweeps, tolerance


def west(a):
    return np.roll(a, 1, axis=1)


def east(a):
    return np.roll(a, -1, axis=1)


def run(u, v, p, h, dt, rho, nu, force, sweeps, tolerance):
    steps = 0
    udiff = 1.0
    while udiff > tolerance:
        u_old = u.copy()
        v_old = v.copy()
        du_dx = (east(u_old) - west(u_old))[1:-1] / (2.0 * h)
        dv_dx = (east(v_old) - west(v_old))[1:-1] / (2.0 * h)
        du_dy = (u_old[2:] - u_old[:-2]) / (2.0 * h)
        dv_dy = (v_old[2:] - v_old[:-2]) / (2.0 * h)
        b = rho * ((du_dx + dv_dy) / dt - du_dx**2 - 2.0 * du_dy * dv_dx - dv_dy**2)
        for _ in range(sweeps):
            old = p.copy()
            p[1:-1] = 0.25 * ((east(old) + west(old))[1:-1] + old[2:] + old[:-2] - h * h * b)
            p[0] = p[1]
            p[-1] = p[-2]
        for w, old, gradient, push in (
            (u, u_old, (east(p) - west(p))[1:-1], force),
            (v, v_old, p[2:] - p[:-2], 0.0),
        ):
            inner = old[1:-1]
            w[1:-1] = (
                inner
                - u_old[1:-1] * dt / h * (inner - west(old)[1:-1])
                - v_old[1:-1] * dt / h * (inner - old[:-2])
                - dt / (2.0 * rho * h) * gradient
                + nu * dt / h**2 * ((east(old) + west(old))[1:-1] + old[2:] + old[:-2] - 4.0 * inner)
                + push * dt
            )
        udiff = abs(np.sum(u) - np.sum(u_old)) / np.sum(u)
        steps += 1
    return steps
