from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(position, velocity, mass, dt, steps):
    def step(_, state):
        position, velocity = state
        difference = position[:, None] - position
        distance2 = jnp.sum(difference**2, axis=2) + 1e-3
        pull = dt / (distance2 * jnp.sqrt(distance2))
        velocity = velocity - jnp.einsum("ij,j,ijd->id", pull, mass, difference)
        return position + dt * velocity, velocity

    return lax.fori_loop(0, steps, step, (position, velocity))
