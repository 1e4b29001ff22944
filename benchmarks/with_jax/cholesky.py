from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(a):
    n = a.shape[0]
    index = jnp.arange(n)

    def cell(j, state):
        i, a = state
        known = jnp.sum(jnp.where(index < j, a[i] * a[j], 0.0))
        return i, a.at[i, j].set((a[i, j] - known) / a[j, j])

    def row(i, a):
        a = lax.fori_loop(0, i, cell, (i, a))[1]
        known = jnp.sum(jnp.where(index < i, a[i] * a[i], 0.0))
        return a.at[i, i].set(jnp.sqrt(a[i, i] - known))

    return lax.fori_loop(0, n, row, a)
