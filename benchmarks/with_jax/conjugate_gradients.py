from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(a, b, tolerance):
    stop = tolerance * jnp.linalg.norm(b)

    def going(state):
        return (jnp.sqrt(state[3]) > stop) & (state[4] < 10 * len(b))

    def step(state):
        x, r, p, rho, iterations = state
        q = a @ p
        alpha = rho / (p @ q)
        x, r = x + alpha * p, r - alpha * q
        new = r @ r
        return x, r, r + new / rho * p, new, iterations + 1

    state = lax.while_loop(going, step, (jnp.zeros_like(b), b, b, b @ b, 0))
    return state[0], state[4]
