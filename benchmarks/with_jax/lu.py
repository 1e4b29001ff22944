from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(a):
    n = a.shape[0]
    rows = jnp.arange(n)

    def step(k, a):
        factors = jnp.where(rows > k, a[:, k] / a[k, k], 0.0)
        a = a - jnp.outer(factors, jnp.where(rows >= k, a[k], 0.0))
        return a.at[:, k].add(factors)

    return lax.fori_loop(0, n, step, a)
