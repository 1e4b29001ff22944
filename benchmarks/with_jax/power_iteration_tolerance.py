from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(a, x, tolerance):
    def step(state):
        _, value, x, steps = state
        x = a @ x
        new = jnp.sqrt(x @ x)
        return value, new, x / new, steps + 1

    def going(state):
        return jnp.abs(state[1] - state[0]) > tolerance

    _, value, _, steps = lax.while_loop(going, step, (0.0, 1.0, x, 0))
    return value, steps
