from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(temperature, conductivity, dt, steps):
    east = 0.5 * (conductivity[:, 1:] + conductivity[:, :-1])
    north = 0.5 * (conductivity[1:] + conductivity[:-1])

    def step(_, u):
        flux_x = jnp.pad(east * (u[:, 1:] - u[:, :-1]), ((0, 0), (1, 1)))
        flux_y = jnp.pad(north * (u[1:] - u[:-1]), ((1, 1), (0, 0)))
        return u + dt * (flux_x[:, 1:] - flux_x[:, :-1] + flux_y[1:] - flux_y[:-1])

    u = lax.fori_loop(0, steps, step, temperature)
    return u, u.sum() / temperature.sum()
