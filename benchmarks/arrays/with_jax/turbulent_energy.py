from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(energy, u, v, stratification, dz, dt):
    root = jnp.sqrt(jnp.maximum(energy, 1e-6))
    length = jnp.minimum(jnp.sqrt(2.0) * root / jnp.sqrt(jnp.maximum(stratification, 1e-8)), 50.0)
    viscosity = jnp.clip(0.1 * length * root, 1e-5, 10.0)
    last = ((0, 0), (0, 0), (0, 1))
    shear = jnp.pad(((u[:, :, 1:] - u[:, :, :-1]) / dz) ** 2 + ((v[:, :, 1:] - v[:, :, :-1]) / dz) ** 2, last)
    between = jnp.pad(dt * 0.5 * (viscosity[:, :, 1:] + viscosity[:, :, :-1]) * 30.0 / dz**2, last)
    below = jnp.pad(between[:, :, :-1], ((0, 0), (0, 0), (1, 0)))
    middle = 1.0 + between + below + dt * 0.7 * root / length
    right = energy + dt * (viscosity * shear - viscosity * stratification / 10.0)
    flat = (-1,)
    solution = lax.linalg.tridiagonal_solve(
        -below.reshape(flat), middle.reshape(flat), -between.reshape(flat), right.reshape(-1, 1)
    )
    return jnp.maximum(solution.reshape(energy.shape), 1e-6), viscosity
