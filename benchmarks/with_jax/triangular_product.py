from __future__ import annotations

import jax
import jax.numpy as jnp


@jax.jit
def run(lower, b, alpha):
    return alpha * (b + jnp.tril(lower, -1).T @ b)
