from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(green, coupling, spectrum):
    momenta, energies = green.shape[:2]
    frequencies = spectrum.shape[1]
    k, q = jnp.arange(momenta)[:, None], jnp.arange(momenta)
    shifted = green[k - q]  # (k, q, energy, orbital, orbital)

    def add(w, mixed):
        moved = jnp.where(jnp.arange(energies)[:, None, None] >= w, jnp.roll(shifted, w, axis=2), 0.0)
        return mixed + spectrum[:, w, None, None, None] * moved

    mixed = lax.fori_loop(0, frequencies, add, jnp.zeros_like(shifted))
    return jnp.einsum("qab,kqebc,qdc->kead", coupling, mixed, coupling, optimize=True)
