from __future__ import annotations

from numba import njit, prange


def program(xs, vs, dt):
    for i in prange(xs.size):
        x, v = xs[i], vs[i]
        v -= 0.5 * dt * (x + 0.1 * x * x * x)
        x += dt * v
        vs[i] = v - 0.5 * dt * (x + 0.1 * x * x * x)
        xs[i] = x


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
