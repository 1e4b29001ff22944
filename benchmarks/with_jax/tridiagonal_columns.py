from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(a, b, c, d):
    def forward(carry, level):
        upper, known = carry
        a, b, c, d = level
        pivot = b - a * upper
        new = c / pivot, (d - a * known) / pivot
        return new, new

    levels = tuple(jnp.moveaxis(x, 2, 0) for x in (a, b, c, d))
    zero = jnp.zeros(d.shape[:2])
    _, (upper, known) = lax.scan(forward, (zero, zero), levels)

    def backward(above, level):
        upper, known = level
        new = known - upper * above
        return new, new

    return jnp.moveaxis(lax.scan(backward, zero, (upper, known), reverse=True)[1], 0, 2)
