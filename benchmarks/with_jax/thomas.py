from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(a, b, c, d):
    def forward(carry, row):
        above, pivot, x = carry
        a, b, c, d = row
        upper = above / pivot
        pivot = b - a * upper
        x = (d - a * x) / pivot
        return (c, pivot, x), (upper, x)

    _, (upper, x) = lax.scan(forward, (0.0, 1.0, 0.0), (a, b, c, d))

    def backward(below, row):
        x, upper = row
        new = x - upper * below
        return new, new

    return lax.scan(backward, 0.0, (x, jnp.append(upper[1:], 0.0)), reverse=True)[1]
