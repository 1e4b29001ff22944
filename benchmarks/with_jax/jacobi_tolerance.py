from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(u, tolerance):
    def sweep(state):
        u, sweeps, _ = state
        new = 0.25 * (u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:])
        change = jnp.abs(new - u[1:-1, 1:-1]).max()
        return u.at[1:-1, 1:-1].set(new), sweeps + 1, change

    return lax.while_loop(lambda state: state[2] > tolerance, sweep, (u, 0, tolerance + 1.0))
