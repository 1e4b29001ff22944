from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax


@jax.jit
def run(mean_anomaly, eccentricity, tolerance):
    m = mean_anomaly

    def residual(e):
        return e - eccentricity * jnp.sin(e) - m

    def step(state):
        e, f, steps = state
        going = jnp.abs(f) > tolerance
        e = jnp.where(going, e - f / (1.0 - eccentricity * jnp.cos(e)), e)
        return e, residual(e), steps + going.sum()

    e = jnp.where(m < np.pi, m + eccentricity / 2, m - eccentricity / 2)
    e, _, steps = lax.while_loop(lambda state: jnp.any(jnp.abs(state[1]) > tolerance), step, (e, residual(e), 0))
    return e, steps
