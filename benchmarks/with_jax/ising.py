from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(spin, uniform, beta):
    sweeps, n, m = uniform.shape
    energy = -jnp.sum(spin * (jnp.roll(spin, 1, axis=0) + jnp.roll(spin, 1, axis=1)))

    def site(t, state):
        spin, energy = state
        s, i, j = t // (n * m), t // m % n, t % m
        neighbours = spin[i - 1, j] + spin[(i + 1) % n, j] + spin[i, j - 1] + spin[i, (j + 1) % m]
        change = 2 * spin[i, j] * neighbours
        flip = (change <= 0) | (uniform[s, i, j] < jnp.exp(-beta * change))
        return spin.at[i, j].multiply(jnp.where(flip, -1, 1)), energy + jnp.where(flip, change, 0)

    spin, energy = lax.fori_loop(0, sweeps * n * m, site, (spin, energy))
    return spin, energy, spin.mean()
