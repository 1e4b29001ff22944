from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax


@partial(jax.jit, static_argnames="clusters")
def run(points, clusters):
    def assign(centres):
        return ((points[:, None, :] - centres) ** 2).sum(axis=2).argmin(axis=1)

    def step(state):
        centres, _, new, iterations = state
        count = jax.ops.segment_sum(jnp.ones(len(points)), new, clusters)[:, None]
        total = jax.ops.segment_sum(points, new, clusters)
        centres = jnp.where(count > 0, total / jnp.maximum(count, 1.0), centres)
        return centres, new, assign(centres), iterations + 1

    def going(state):
        return jnp.any(state[1] != state[2]) & (state[3] < 20)

    centres = points[:clusters]
    state = centres, jnp.full(len(points), -1), assign(centres), 1
    centres, labels, _, iterations = lax.while_loop(going, step, state)
    return centres, labels, iterations
