from __future__ import annotations

import jax
from jax import lax


@jax.jit
def run(u, alpha):
    def sweep(_, u):
        return u.at[1:-1].add(alpha * (u[2:] - 2.0 * u[1:-1] + u[:-2]))

    return lax.fori_loop(0, 10, sweep, u)
