from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(dimensions):
    n = len(dimensions) - 1
    index = jnp.arange(n)
    most = jnp.iinfo(jnp.int64).max

    def cell(i, state):
        length, cost = state
        j = i + length - 1
        right = jnp.roll(cost[:, j], -1)
        outer = dimensions[i] * dimensions[j + 1]
        options = cost[i] + right + outer * dimensions[1:]
        best = jnp.min(jnp.where((index >= i) & (index < j), options, most))
        return length, cost.at[i, j].set(best)

    def diagonal(length, cost):
        return lax.fori_loop(0, n - length + 1, cell, (length, cost))[1]

    cost = lax.fori_loop(2, n + 1, diagonal, jnp.zeros((n, n), dtype=jnp.int64))
    return cost[0, n - 1]
