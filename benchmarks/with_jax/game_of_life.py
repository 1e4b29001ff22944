from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(alive, generations):
    def step(_, alive):
        cells = alive.astype(jnp.int8)
        rows = cells + jnp.roll(cells, 1, 0) + jnp.roll(cells, -1, 0)
        count = rows + jnp.roll(rows, 1, 1) + jnp.roll(rows, -1, 1) - cells
        return (count == 3) | (alive & (count == 2))

    return lax.fori_loop(0, generations, step, alive)
