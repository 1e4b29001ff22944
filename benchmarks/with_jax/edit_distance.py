from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(a, b):
    columns = jnp.arange(len(b) + 1, dtype=jnp.int32)

    def line(above, letter):
        change = above[:-1] + (b != letter)
        best = jnp.concatenate((above[:1] + 1, jnp.minimum(above[1:] + 1, change)))
        # The minimum over what lies to the left, each step to the right costing one.
        row = lax.cummin(best - columns) + columns
        return row, None

    return lax.scan(line, columns, a)[0][-1]
