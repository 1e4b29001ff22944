from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax


@partial(jax.jit, static_argnames="capacity")
def run(weights, values, capacity):
    index = jnp.arange(capacity + 1)

    def item(best, item):
        weight, value = item
        shifted = lax.dynamic_slice(jnp.pad(best, (capacity + 1, 0)), (capacity + 1 - weight,), best.shape)
        shifted = jnp.where(index >= weight, shifted + value, 0)
        return jnp.maximum(best, shifted), None

    best, _ = lax.scan(item, jnp.zeros(capacity + 1, dtype=jnp.int64), (weights, values))
    return best[capacity]
