from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(frequency):
    n = len(frequency)
    total = jnp.concatenate((jnp.zeros(1), jnp.cumsum(frequency)))
    index = jnp.arange(n)

    def cell(i, state):
        length, cost, root = state
        j = i + length
        options = jnp.where((index >= i) & (index < j), cost[i, :-1] + cost[1:, j], jnp.inf)
        k = jnp.argmin(options)
        return length, cost.at[i, j].set(options[k] + total[j] - total[i]), root.at[i, j - 1].set(k)

    def diagonal(length, state):
        return lax.fori_loop(0, n - length + 1, cell, (length, *state))[1:]

    state = jnp.zeros((n + 1, n + 1)), jnp.zeros((n, n), dtype=jnp.int64)
    cost, root = lax.fori_loop(1, n + 1, diagonal, state)
    return cost[0, n], root
