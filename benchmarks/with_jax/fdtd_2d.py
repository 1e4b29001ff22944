from __future__ import annotations

import jax
from jax import lax


@jax.jit
def run(ex, ey, hz, source):
    def step(state, now):
        ex, ey, hz = state
        ey = ey.at[0, :].set(now)
        ey = ey.at[1:, :].add(-0.5 * (hz[1:, :] - hz[:-1, :]))
        ex = ex.at[:, 1:].add(0.5 * (hz[:, 1:] - hz[:, :-1]))
        hz = hz.at[:-1, :-1].add(-0.7 * (ey[1:, :-1] - ey[:-1, :-1] - ex[:-1, 1:] + ex[:-1, :-1]))
        return (ex, ey, hz), None

    return lax.scan(step, (ex, ey, hz), source)[0]
