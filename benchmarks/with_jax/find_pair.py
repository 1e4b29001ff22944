from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(values, target):
    n = len(values)
    index = jnp.arange(n)

    def found(i):
        return (index > i) & (values[i] + values == target)

    i = lax.while_loop(lambda i: (i < n) & ~jnp.any(found(i)), lambda i: i + 1, 0)
    here = jnp.any(found(jnp.minimum(i, n - 1)))
    return jnp.where(here, i, -1), jnp.where(here, jnp.argmax(found(jnp.minimum(i, n - 1))), -1)
