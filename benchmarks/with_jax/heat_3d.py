from __future__ import annotations

import jax
from jax import lax


@jax.jit
def run(u, v, r, steps):
    def laplacian(u):
        return (
            u[:-2, 1:-1, 1:-1] + u[2:, 1:-1, 1:-1]
            + u[1:-1, :-2, 1:-1] + u[1:-1, 2:, 1:-1]
            + u[1:-1, 1:-1, :-2] + u[1:-1, 1:-1, 2:]
            - 6.0 * u[1:-1, 1:-1, 1:-1]
        )  # fmt: skip

    inside = (slice(1, -1),) * 3

    def step(_, state):
        u, v = state
        v = v.at[inside].set(u[inside] + r * laplacian(u))
        return u.at[inside].set(v[inside] + r * laplacian(v)), v

    return lax.fori_loop(0, steps, step, (u, v))
