from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(a):
    m, n = a.shape

    def step(k, state):
        a, q, r = state
        norm = jnp.sqrt(a[:, k] @ a[:, k])
        column = a[:, k] / norm
        row = jnp.where(jnp.arange(n) > k, column @ a, 0.0)
        return a - jnp.outer(column, row), q.at[:, k].set(column), r.at[k].set(row.at[k].set(norm))

    return lax.fori_loop(0, n, step, (a, jnp.zeros((m, n)), jnp.zeros((n, n))))
