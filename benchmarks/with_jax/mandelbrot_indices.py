from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(x, y, steps):
    c = x + 1j * y[:, None]

    def step(n, state):
        z, count = state
        z = jnp.where(count == 0, z * z + c, z)
        escaped = (count == 0) & (z.real**2 + z.imag**2 > 4.0)
        return z, jnp.where(escaped, n + 1, count)

    return lax.fori_loop(0, steps, step, (jnp.zeros_like(c), jnp.zeros(c.shape, dtype=jnp.int64)))[1]
