"""The flow in a cavity whose lid moves: incompressible Navier-Stokes with a pressure Poisson equation each step.

Upwind advection, central diffusion, and a fixed number of Jacobi sweeps for the pressure. (Ferziger and Peric,
Computational Methods for Fluid Dynamics, chapter 7; Barba and Forsyth, CFD Python, step 11.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (8, 3, 4), "bench": (41, 40, 50)}
CHANGED = (0, 1, 2)


def make(size):
    n, steps, sweeps = size
    return np.zeros((n, n)), np.zeros((n, n)), np.zeros((n, n)), 2.0 / (n - 1), 0.001, 1.0, 0.1, steps, sweeps


def pressure_source(u, v, h, dt, rho):
    du_dx = (u[1:-1, 2:] - u[1:-1, :-2]) / (2.0 * h)
    dv_dy = (v[2:, 1:-1] - v[:-2, 1:-1]) / (2.0 * h)
    du_dy = (u[2:, 1:-1] - u[:-2, 1:-1]) / (2.0 * h)
    dv_dx = (v[1:-1, 2:] - v[1:-1, :-2]) / (2.0 * h)
    return rho * ((du_dx + dv_dy) / dt - du_dx**2 - 2.0 * du_dy * dv_dx - dv_dy**2)


def relax_pressure(p, b, h, sweeps):
    for _ in range(sweeps):
        old = p.copy()
        p[1:-1, 1:-1] = 0.25 * (old[1:-1, 2:] + old[1:-1, :-2] + old[2:, 1:-1] + old[:-2, 1:-1] - h * h * b)
        p[:, -1] = p[:, -2]
        p[0, :] = p[1, :]
        p[:, 0] = p[:, 1]
        p[-1, :] = 0.0


def advance(w, u, v, gradient, h, dt, nu):
    """One explicit step of the velocity component w."""
    old = w.copy()
    inner = old[1:-1, 1:-1]
    w[1:-1, 1:-1] = (
        inner
        - u * dt / h * (inner - old[1:-1, :-2])
        - v * dt / h * (inner - old[:-2, 1:-1])
        - gradient
        + nu * dt / h**2 * (old[1:-1, 2:] + old[1:-1, :-2] + old[2:, 1:-1] + old[:-2, 1:-1] - 4.0 * inner)
    )


def run(u, v, p, h, dt, rho, nu, steps, sweeps):
    for _ in range(steps):
        b = pressure_source(u, v, h, dt, rho)
        relax_pressure(p, b, h, sweeps)
        u_old = u[1:-1, 1:-1].copy()
        v_old = v[1:-1, 1:-1].copy()
        advance(u, u_old, v_old, dt / (2.0 * rho * h) * (p[1:-1, 2:] - p[1:-1, :-2]), h, dt, nu)
        advance(v, u_old, v_old, dt / (2.0 * rho * h) * (p[2:, 1:-1] - p[:-2, 1:-1]), h, dt, nu)
        u[0, :] = 0.0
        u[:, 0] = 0.0
        u[:, -1] = 0.0
        u[-1, :] = 1.0
        v[0, :] = 0.0
        v[-1, :] = 0.0
        v[:, 0] = 0.0
        v[:, -1] = 0.0
