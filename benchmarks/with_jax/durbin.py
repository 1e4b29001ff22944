from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(r):
    n = len(r)
    index = jnp.arange(n)

    def step(k, state):
        y, alpha, beta = state
        beta = beta * (1.0 - alpha * alpha)
        flipped = jnp.where(index < k, jnp.roll(y[::-1], k), 0.0)
        alpha = -(r[k] + jnp.dot(flipped, r)) / beta
        return (y + alpha * flipped).at[k].set(alpha), alpha, beta

    return lax.fori_loop(1, n, step, (jnp.zeros_like(r).at[0].set(-r[0]), -r[0], 1.0))[0]
