from __future__ import annotations

import jax
from jax import lax


@jax.jit
def run(u, f, omega, sweeps):
    inside = (slice(1, -1),) * 3

    def sweep(_, u):
        mean = (
            u[:-2, 1:-1, 1:-1] + u[2:, 1:-1, 1:-1] + u[1:-1, :-2, 1:-1]
            + u[1:-1, 2:, 1:-1] + u[1:-1, 1:-1, :-2] + u[1:-1, 1:-1, 2:] + f[inside]
        ) / 6.0  # fmt: skip
        return u.at[inside].set((1.0 - omega) * u[inside] + omega * mean)

    return lax.fori_loop(0, sweeps, sweep, u)
