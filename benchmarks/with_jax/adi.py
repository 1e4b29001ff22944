from __future__ import annotations

import jax
from jax import lax


def implicit_half_step(u, r):
    explicit = r * u[1:-1, :-2] + (1.0 - 2.0 * r) * u[1:-1, 1:-1] + r * u[1:-1, 2:]

    def forward(carry, explicit):
        upper, right = carry
        pivot = 1.0 + 2.0 * r - r * upper
        new = r / pivot, (explicit + r * right) / pivot
        return new, new

    _, (upper, right) = lax.scan(forward, (0.0, u[0, 1:-1]), explicit)

    def backward(above, known):
        upper, right = known
        new = right + upper * above
        return new, new

    _, inner = lax.scan(backward, u[-1, 1:-1], (upper, right), reverse=True)
    return u.at[1:-1, 1:-1].set(inner)


@jax.jit
def run(u, r, steps):
    def step(_, u):
        return implicit_half_step(implicit_half_step(u, 0.5 * r).T, 0.5 * r).T

    return lax.fori_loop(0, steps, step, u)
