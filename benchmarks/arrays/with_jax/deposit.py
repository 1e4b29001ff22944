from __future__ import annotations

import jax
import jax.numpy as jnp


@jax.jit
def run(x, charge, grid):
    cells = grid.size - 1
    position = x * cells
    cell = jnp.minimum(position.astype(jnp.int64), cells - 1)
    part = position - cell
    density = jnp.zeros(grid.size).at[cell].add(charge * (1.0 - part)).at[cell + 1].add(charge * part)
    field = density + grid
    return density, field[cell] * (1.0 - part) + field[cell + 1] * part
