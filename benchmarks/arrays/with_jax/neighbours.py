from __future__ import annotations

import jax
import jax.numpy as jnp


@jax.jit
def run(u, start, end, weight, dt):
    flow = dt * weight * (u[end] - u[start])
    return u + jnp.zeros_like(u).at[start].add(flow).at[end].add(-flow)
