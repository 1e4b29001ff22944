from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(bases):
    n = len(bases)
    index = jnp.arange(n)

    def cell(j, state):
        i, table = state
        split = table[i] + jnp.roll(table[:, j], -1)
        best = jnp.max(jnp.where((index > i) & (index < j), split, 0))
        pair = jnp.where((i < j - 1) & (bases[i] + bases[j] == 3), 1, 0)
        best = jnp.maximum(best, table[i + 1, j - 1] + pair)
        best = jnp.maximum(best, jnp.maximum(table[i, j - 1], table[i + 1, j]))
        return i, table.at[i, j].set(best)

    def line(step, table):
        i = n - 1 - step
        return lax.fori_loop(i + 1, n, cell, (i, table))[1]

    return lax.fori_loop(0, n, line, jnp.zeros((n, n), dtype=jnp.int64))
