from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(a, x, steps):
    def step(_, state):
        y = a @ state[1]
        x = y / jnp.linalg.norm(y)
        return x @ a @ x, x

    return lax.fori_loop(0, steps, step, (0.0, x))
