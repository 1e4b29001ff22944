from __future__ import annotations

import jax
from jax import lax


@jax.jit
def run(u, alpha):
    def sweep(_, u):
        spread = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4.0 * u[1:-1, 1:-1]
        return u.at[1:-1, 1:-1].add(alpha * spread)

    return lax.fori_loop(0, 10, sweep, u)
