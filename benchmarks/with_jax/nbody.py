from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax


def acceleration(position, mass, softening):
    difference = position - position[:, None]
    inverse = (jnp.sum(difference**2, axis=2) + softening**2) ** (-1.5)
    return jnp.einsum("ijd,ij,j->id", difference, inverse, mass)


def energy(position, velocity, mass):
    kinetic = 0.5 * jnp.sum(mass[:, None] * velocity**2)
    distance = jnp.sqrt(jnp.sum((position[:, None] - position) ** 2, axis=2))
    pairs = jnp.triu(jnp.ones(distance.shape, dtype=bool), 1)
    return kinetic, -jnp.sum(jnp.where(pairs, mass * mass[:, None] / jnp.where(pairs, distance, 1.0), 0.0))


@partial(jax.jit, static_argnames="steps")
def run(position, velocity, mass, dt, softening, steps):
    velocity = velocity - jnp.mean(mass[:, None] * velocity, axis=0) / jnp.mean(mass)

    def step(state, _):
        position, velocity, force = state
        velocity = velocity + 0.5 * dt * force
        position = position + dt * velocity
        force = acceleration(position, mass, softening)
        velocity = velocity + 0.5 * dt * force
        return (position, velocity, force), energy(position, velocity, mass)

    first = energy(position, velocity, mass)
    state = position, velocity, acceleration(position, mass, softening)
    (position, velocity, _), energies = lax.scan(step, state, length=steps)
    kinetic, potential = (jnp.concatenate((e[None], rest)) for e, rest in zip(first, energies))
    return position, velocity, kinetic, potential
