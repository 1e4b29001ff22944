from __future__ import annotations

import jax
import jax.numpy as jnp


def taper(slope):
    return 0.5 * (1.0 + jnp.tanh((4e-3 - jnp.abs(slope)) / 1e-3))


def gradients(x, dx, dz):
    return (
        jnp.pad((x[1:] - x[:-1]) / dx, ((0, 1), (0, 0), (0, 0))),
        jnp.pad((x[:, 1:] - x[:, :-1]) / dx, ((0, 0), (0, 1), (0, 0))),
        jnp.pad((x[:, :, 1:] - x[:, :, :-1]) / dz, ((0, 0), (0, 0), (0, 1))),
    )


@jax.jit
def run(t, s, diffusivity, dx, dz, dt):
    alpha, beta = 1.7e-4, 7.6e-4
    (t_x, t_y, t_z), (s_x, s_y, s_z) = gradients(t, dx, dz), gradients(s, dx, dz)
    rho_z = jnp.minimum(beta * s_z - alpha * t_z, -1e-9)
    slope_x = -(beta * s_x - alpha * t_x) / rho_z
    slope_y = -(beta * s_y - alpha * t_y) / rho_z
    k_x, k_y = diffusivity * taper(slope_x), diffusivity * taper(slope_y)
    flux_x = k_x * (t_x + slope_x * t_z)
    flux_y = k_y * (t_y + slope_y * t_z)
    flux_z = k_x * slope_x * t_x + k_y * slope_y * t_y + (k_x * slope_x * slope_x + k_y * slope_y * slope_y) * t_z
    change = jnp.pad((flux_x[1:-1] - flux_x[:-2]) / dx, ((1, 1), (0, 0), (0, 0)))
    change += jnp.pad((flux_y[:, 1:-1] - flux_y[:, :-2]) / dx, ((0, 0), (1, 1), (0, 0)))
    change += jnp.pad((flux_z[:, :, 1:-1] - flux_z[:, :, :-2]) / dz, ((0, 0), (0, 0), (1, 1)))
    return t + dt * change
