from __future__ import annotations

import jax
from jax import lax


def advance(w, u, v, gradient, h, dt, nu):
    inner = w[1:-1, 1:-1]
    return w.at[1:-1, 1:-1].set(
        inner
        - u * dt / h * (inner - w[1:-1, :-2])
        - v * dt / h * (inner - w[:-2, 1:-1])
        - gradient
        + nu * dt / h**2 * (w[1:-1, 2:] + w[1:-1, :-2] + w[2:, 1:-1] + w[:-2, 1:-1] - 4.0 * inner)
    )


@jax.jit
def run(u, v, p, h, dt, rho, nu, steps, sweeps):
    def step(_, state):
        u, v, p = state
        du_dx = (u[1:-1, 2:] - u[1:-1, :-2]) / (2.0 * h)
        dv_dy = (v[2:, 1:-1] - v[:-2, 1:-1]) / (2.0 * h)
        du_dy = (u[2:, 1:-1] - u[:-2, 1:-1]) / (2.0 * h)
        dv_dx = (v[1:-1, 2:] - v[1:-1, :-2]) / (2.0 * h)
        b = rho * ((du_dx + dv_dy) / dt - du_dx**2 - 2.0 * du_dy * dv_dx - dv_dy**2)

        def relax(_, p):
            p = p.at[1:-1, 1:-1].set(0.25 * (p[1:-1, 2:] + p[1:-1, :-2] + p[2:, 1:-1] + p[:-2, 1:-1] - h * h * b))
            p = p.at[:, -1].set(p[:, -2])
            p = p.at[0, :].set(p[1, :])
            p = p.at[:, 0].set(p[:, 1])
            return p.at[-1, :].set(0.0)

        p = lax.fori_loop(0, sweeps, relax, p)
        u_old, v_old, scale = u[1:-1, 1:-1], v[1:-1, 1:-1], dt / (2.0 * rho * h)
        u = advance(u, u_old, v_old, scale * (p[1:-1, 2:] - p[1:-1, :-2]), h, dt, nu)
        v = advance(v, u_old, v_old, scale * (p[2:, 1:-1] - p[:-2, 1:-1]), h, dt, nu)
        u = u.at[0, :].set(0.0).at[:, 0].set(0.0).at[:, -1].set(0.0).at[-1, :].set(1.0)
        v = v.at[0, :].set(0.0).at[-1, :].set(0.0).at[:, 0].set(0.0).at[:, -1].set(0.0)
        return u, v, p

    return lax.fori_loop(0, steps, step, (u, v, p))
