from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(x, y, steps):
    c = x + 1j * y[:, None]

    def step(n, state):
        z, count = state
        inside = z.real**2 + z.imag**2 < 4.0
        return jnp.where(inside, z * z + c, z), jnp.where(inside, n, count)

    _, count = lax.fori_loop(0, steps, step, (jnp.zeros_like(c), jnp.zeros(c.shape, dtype=jnp.int64)))
    return jnp.where(count == steps - 1, 0, count)
