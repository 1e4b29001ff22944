from __future__ import annotations

import jax


@jax.jit
def run(x, v, dt):
    v = v - 0.5 * dt * (x + 0.1 * x * x * x)
    x = x + dt * v
    return x, v - 0.5 * dt * (x + 0.1 * x * x * x)
