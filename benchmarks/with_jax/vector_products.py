from __future__ import annotations

import jax


@jax.jit
def run(s, q, a, p, r):
    return s + r @ a, q + a @ p
