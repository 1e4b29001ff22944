from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax


def lorenz(y):
    return jnp.array([10.0 * (y[1] - y[0]), y[0] * (28.0 - y[2]) - y[1], y[0] * y[1] - 8.0 / 3.0 * y[2]])


@partial(jax.jit, static_argnames="steps")
def run(y, h, steps):
    def step(y, _):
        k1 = lorenz(y)
        k2 = lorenz(y + 0.5 * h * k1)
        k3 = lorenz(y + 0.5 * h * k2)
        k4 = lorenz(y + h * k3)
        y = y + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        return y, y

    return jnp.concatenate((y[None], lax.scan(step, y, length=steps)[1]))
