from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


def west(a):
    return jnp.roll(a, 1, axis=1)


def east(a):
    return jnp.roll(a, -1, axis=1)


@jax.jit
def run(u, v, p, h, dt, rho, nu, force, sweeps, tolerance):
    def step(state):
        u, v, p, steps, _ = state
        du_dx = (east(u) - west(u))[1:-1] / (2.0 * h)
        dv_dx = (east(v) - west(v))[1:-1] / (2.0 * h)
        du_dy = (u[2:] - u[:-2]) / (2.0 * h)
        dv_dy = (v[2:] - v[:-2]) / (2.0 * h)
        b = rho * ((du_dx + dv_dy) / dt - du_dx**2 - 2.0 * du_dy * dv_dx - dv_dy**2)

        def relax(_, p):
            p = p.at[1:-1].set(0.25 * ((east(p) + west(p))[1:-1] + p[2:] + p[:-2] - h * h * b))
            return p.at[0].set(p[1]).at[-1].set(p[-2])

        p = lax.fori_loop(0, sweeps, relax, p)

        def advance(w, gradient, push):
            inner = w[1:-1]
            return w.at[1:-1].set(
                inner
                - u[1:-1] * dt / h * (inner - west(w)[1:-1])
                - v[1:-1] * dt / h * (inner - w[:-2])
                - dt / (2.0 * rho * h) * gradient
                + nu * dt / h**2 * ((east(w) + west(w))[1:-1] + w[2:] + w[:-2] - 4.0 * inner)
                + push * dt
            )

        new = advance(u, (east(p) - west(p))[1:-1], force)
        udiff = jnp.abs(jnp.sum(new) - jnp.sum(u)) / jnp.sum(new)
        return new, advance(v, p[2:] - p[:-2], 0.0), p, steps + 1, udiff

    return lax.while_loop(lambda state: state[4] > tolerance, step, (u, v, p, 0, 1.0))[:4]
