from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(field, velocity, dt):
    courant = 0.25 * dt * (velocity[1:] + velocity[:-1])
    courant = courant.at[:, :, 0].set(0.0).at[:, :, -1].set(0.0)
    below, above = -courant[:, :, :-1], courant[:, :, 1:]
    difference = jnp.pad(jnp.diff(field, axis=2), ((0, 0), (0, 0), (1, 1)))
    rhs = field + below * difference[:, :, :-1] - above * difference[:, :, 1:]
    levels = tuple(jnp.moveaxis(x, 2, 0) for x in (below, above, rhs))

    def forward(carry, level):
        upper, right = carry
        below, above, rhs = level
        pivot = 1.0 - above - below - upper * below
        new = above / pivot, (rhs - right * below) / pivot
        return new, new

    zero = jnp.zeros(field.shape[:2])
    _, known = lax.scan(forward, (zero, zero), levels)

    def backward(over, level):
        upper, right = level
        new = right - upper * over
        return new, new

    return jnp.moveaxis(lax.scan(backward, zero, known, reverse=True)[1], 0, 2)
