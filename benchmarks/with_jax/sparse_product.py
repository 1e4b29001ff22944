from __future__ import annotations

import jax
import jax.numpy as jnp


@jax.jit
def run(indptr, indices, data, x):
    n = len(indptr) - 1
    row = jnp.repeat(jnp.arange(n), jnp.diff(indptr), total_repeat_length=len(data))
    return jax.ops.segment_sum(data * x[indices], row, n, indices_are_sorted=True)
