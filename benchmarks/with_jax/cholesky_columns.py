from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(a):
    n = a.shape[0]
    index = jnp.arange(n)

    def step(k, factor):
        # The columns from k on are still zero.
        column = a[:, k] - factor @ factor[k]
        return factor.at[:, k].set(jnp.where(index >= k, column / jnp.sqrt(column[k]), 0.0))

    return lax.fori_loop(0, n, step, jnp.zeros_like(a))
