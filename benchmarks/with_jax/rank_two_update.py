from __future__ import annotations

import jax
import jax.numpy as jnp


@jax.jit
def run(a, u1, v1, u2, v2, x, y, w, z, alpha, beta):
    a = a + jnp.outer(u1, v1) + jnp.outer(u2, v2)
    x = x + beta * (y @ a) + z
    return a, x, w + alpha * (a @ x)
