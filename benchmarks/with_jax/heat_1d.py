from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(u, r, steps):
    def step(t, u):
        u = u.at[0].set(jnp.sin(0.01 * t))
        return u.at[1:-1].add(r * (u[:-2] - 2.0 * u[1:-1] + u[2:]))

    return lax.fori_loop(0, steps, step, u)
