from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np


@partial(jax.jit, static_argnames="logarithm")
def run(x, logarithm):
    n = len(x)
    for q in range(logarithm):
        half = 2**q
        twiddle = np.exp(-1j * np.pi * np.arange(half) / half)
        parts = x.reshape(2, n // (2 * half), half)
        odd = twiddle * parts[1]
        x = jnp.stack((parts[0] + odd, parts[0] - odd), axis=1).reshape(n)
    return x
