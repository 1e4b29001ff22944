"""Fluxes of temperature along surfaces of equal density, with a taper for steep slopes: as ocean models mix.

Written from Griffies, Fundamentals of Ocean Climate Models (2004), chapters 13 to 15: small slopes, the taper of
Danabasoglu and McWilliams, J. Climate 8 (1995), a linear equation of state; the grid is x, y, z with equal steps.
"""

from __future__ import annotations

import numpy as np

KIND, MOST = "ocean model", 4 * 10**6


def make(n):
    side = max(round((n / 25) ** 0.5), 4)
    rng = np.random.default_rng(38)
    depth = np.linspace(1.0, 0.0, 25)
    temperature = 5.0 + 15.0 * (1.0 - depth) + 0.5 * rng.normal(size=(side, side, 25))
    salt = 34.0 + depth + 0.05 * rng.normal(size=(side, side, 25))
    return temperature, salt, np.full((side, side, 25), 1e3), 1e4, 40.0, 3600.0


def taper(slope):
    return 0.5 * (1.0 + np.tanh((4e-3 - np.abs(slope)) / 1e-3))


def run(t, s, diffusivity, dx, dz, dt):
    alpha, beta = 1.7e-4, 7.6e-4
    t_x, t_y, t_z = np.zeros_like(t), np.zeros_like(t), np.zeros_like(t)
    t_x[:-1] = (t[1:] - t[:-1]) / dx
    t_y[:, :-1] = (t[:, 1:] - t[:, :-1]) / dx
    t_z[:, :, :-1] = (t[:, :, 1:] - t[:, :, :-1]) / dz
    s_x, s_y, s_z = np.zeros_like(s), np.zeros_like(s), np.zeros_like(s)
    s_x[:-1] = (s[1:] - s[:-1]) / dx
    s_y[:, :-1] = (s[:, 1:] - s[:, :-1]) / dx
    s_z[:, :, :-1] = (s[:, :, 1:] - s[:, :, :-1]) / dz
    rho_z = np.minimum(beta * s_z - alpha * t_z, -1e-9)
    slope_x = -(beta * s_x - alpha * t_x) / rho_z
    slope_y = -(beta * s_y - alpha * t_y) / rho_z
    k_x, k_y = diffusivity * taper(slope_x), diffusivity * taper(slope_y)
    flux_x = k_x * (t_x + slope_x * t_z)
    flux_y = k_y * (t_y + slope_y * t_z)
    flux_z = k_x * slope_x * t_x + k_y * slope_y * t_y + (k_x * slope_x * slope_x + k_y * slope_y * slope_y) * t_z
    change = np.zeros_like(t)
    change[1:-1] += (flux_x[1:-1] - flux_x[:-2]) / dx
    change[:, 1:-1] += (flux_y[:, 1:-1] - flux_y[:, :-2]) / dx
    change[:, :, 1:-1] += (flux_z[:, :, 1:-1] - flux_z[:, :, :-2]) / dz
    return t + dt * change
