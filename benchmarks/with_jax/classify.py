from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(signal, low, high):
    def sample(carry, x):
        state, length, longest, counts = carry
        low_class = jnp.where(state == 2, 2, 1)
        new = jnp.where(x > high, 2, jnp.where(x > low, low_class, jnp.where(x < -high, 3, 0)))
        same = new == state
        longest = jnp.where(same, longest, jnp.maximum(longest, length))
        length = jnp.where(same, length + 1, 1)
        counts = counts.at[new].add(length % 7 != 3)
        return (new, length, longest, counts), None

    first = (jnp.int64(0), jnp.int64(0), jnp.int64(0), jnp.zeros(4, dtype=jnp.int64))
    (_, length, longest, counts), _ = lax.scan(sample, first, signal)
    return counts, jnp.maximum(longest, length)
