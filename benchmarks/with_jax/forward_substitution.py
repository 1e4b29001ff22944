from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(lower, x, b):
    def row(i, x):
        # What is not known yet is zero.
        return x.at[i].set((b[i] - lower[i] @ x) / lower[i, i])

    return lax.fori_loop(0, len(b), row, jnp.zeros_like(b))
