from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(limit):
    def number(start, state):
        best, longest = state

        def step(state):
            n, length = state
            return jnp.where(n % 2 == 0, n // 2, 3 * n + 1), length + 1

        _, length = lax.while_loop(lambda state: state[0] != 1, step, (start, 1))
        return jnp.where(length > longest, start, best), jnp.maximum(length, longest)

    return lax.fori_loop(1, limit, number, (1, 1))
