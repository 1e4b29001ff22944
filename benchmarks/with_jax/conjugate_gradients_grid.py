from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


def negative_laplacian(u):
    padded = jnp.pad(u, 1)
    return 4.0 * u - padded[2:, 1:-1] - padded[:-2, 1:-1] - padded[1:-1, 2:] - padded[1:-1, :-2]


@jax.jit
def run(f, tolerance):
    rho = jnp.sum(f * f)
    stop = tolerance * jnp.sqrt(rho)

    def step(state):
        u, residual, direction, rho, iterations = state
        applied = negative_laplacian(direction)
        alpha = rho / jnp.sum(direction * applied)
        u, residual = u + alpha * direction, residual - alpha * applied
        new = jnp.sum(residual * residual)
        return u, residual, residual + (new / rho) * direction, new, iterations + 1

    state = (jnp.zeros_like(f), f, f, rho, 0)
    state = lax.while_loop(lambda state: jnp.sqrt(state[3]) > stop, step, state)
    return state[0], state[4]
