from __future__ import annotations

import jax
import jax.numpy as jnp


@jax.jit
def run(x):
    between = x[:, None, :] - x[None, :, :]
    return jnp.sqrt((between * between).sum(axis=2))
