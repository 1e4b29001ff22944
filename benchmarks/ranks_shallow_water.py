"""A shallow-water model beside one by hand on mpi4jax: ``mpiexec -n 2 python -m benchmarks.ranks_shallow_water``.

The model is plain NumPy: the non-linear equations in their vector-invariant form on a C grid, with the
enstrophy-conserving scheme of Sadourny (1975), steps of Adams and Bashforth, friction, periodic along rows, with walls
above and below. mpi4jax has to be installed beside lazyarr; on one rank nothing is sent.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from mpi4py import MPI

import lazyarr

WORLD = MPI.COMM_WORLD
RUNS = 7
G, DX, DT, F, FRICTION = 9.81, 5e3, 20.0, 1e-4, 500.0
NOW, BEFORE = 1.6, -0.6


def start(rows: int, columns: int) -> tuple[Any, ...]:
    """Height and velocities: a jet, and a wave across it."""
    y, x = np.meshgrid(np.linspace(0, 1, rows), np.linspace(0, 1, columns), indexing="ij")
    h = 100.0 - np.tanh((y - 0.5) * 8) + 0.2 * np.sin(6 * np.pi * x) * np.cos(4 * np.pi * y)
    u = 5.0 * np.exp(-(((y - 0.5) / 0.1) ** 2))
    return h, u, np.zeros_like(h)


def wrap(a: Any) -> None:
    """The columns that stand for those on the other side."""
    a[:, 0] = a[:, -2]
    a[:, -1] = a[:, 1]


def model(h: Any, u: Any, v: Any, steps: int) -> None:
    """Steps of the model, in place."""
    dh, du, dv = np.zeros_like(h), np.zeros_like(h), np.zeros_like(h)
    east, north, q, energy = np.zeros_like(h), np.zeros_like(h), np.zeros_like(h), np.zeros_like(h)
    for _ in range(steps):
        east[1:-1, 1:-1] = 0.5 * (h[1:-1, 1:-1] + h[1:-1, 2:]) * u[1:-1, 1:-1]
        north[1:-2, 1:-1] = 0.5 * (h[1:-2, 1:-1] + h[2:-1, 1:-1]) * v[1:-2, 1:-1]
        wrap(east)
        wrap(north)
        around = h[1:-1, 1:-1] + h[1:-1, 2:] + h[2:, 1:-1] + h[2:, 2:]
        turning = (v[1:-1, 2:] - v[1:-1, 1:-1] - u[2:, 1:-1] + u[1:-1, 1:-1]) / DX
        q[1:-1, 1:-1] = (F + turning) * 4.0 / around
        wrap(q)
        energy[1:-1, 1:-1] = 0.25 * (
            u[1:-1, 1:-1] ** 2 + u[1:-1, :-2] ** 2 + v[1:-1, 1:-1] ** 2 + v[:-2, 1:-1] ** 2
        ) + G * h[1:-1, 1:-1]  # fmt: skip
        wrap(energy)
        new_h = -(east[1:-1, 1:-1] - east[1:-1, :-2] + north[1:-1, 1:-1] - north[:-2, 1:-1]) / DX
        new_u = 0.25 * (
            q[1:-1, 1:-1] * (north[1:-1, 1:-1] + north[1:-1, 2:]) + q[:-2, 1:-1] * (north[:-2, 1:-1] + north[:-2, 2:])
        ) - (energy[1:-1, 2:] - energy[1:-1, 1:-1]) / DX  # fmt: skip
        new_v = -0.25 * (
            q[1:-1, 1:-1] * (east[1:-1, 1:-1] + east[2:, 1:-1]) + q[1:-1, :-2] * (east[1:-1, :-2] + east[2:, :-2])
        ) - (energy[2:, 1:-1] - energy[1:-1, 1:-1]) / DX  # fmt: skip
        h[1:-1, 1:-1] += DT * (NOW * new_h + BEFORE * dh[1:-1, 1:-1])
        u[1:-1, 1:-1] += DT * (NOW * new_u + BEFORE * du[1:-1, 1:-1])
        v[1:-2, 1:-1] += DT * (NOW * new_v[:-1] + BEFORE * dv[1:-2, 1:-1])
        dh[1:-1, 1:-1] = new_h
        du[1:-1, 1:-1] = new_u
        dv[1:-1, 1:-1] = new_v
        wrap(h)
        wrap(u)
        wrap(v)
        for a in (u, v):
            a[1:-2, 1:-1] += DT * FRICTION / DX**2 * (
                a[2:-1, 1:-1] + a[:-3, 1:-1] + a[1:-2, 2:] + a[1:-2, :-2] - 4 * a[1:-2, 1:-1]
            )  # fmt: skip
            wrap(a)


# --- the same by hand


def exchanged(a: Any) -> Any:
    """A rank's rows with those of its neighbours beside them, by mpi4jax."""
    import mpi4jax

    above, below = WORLD.rank - 1, WORLD.rank + 1
    if above >= 0:
        row = mpi4jax.sendrecv(a[1], a[0], source=above, dest=above, comm=WORLD)
        a = a.at[0].set(row)
    if below < WORLD.size:
        row = mpi4jax.sendrecv(a[-2], a[-1], source=below, dest=below, comm=WORLD)
        a = a.at[-1].set(row)
    return a


def wrapped(a: Any) -> Any:
    return a.at[:, 0].set(a[:, -2]).at[:, -1].set(a[:, 1])


def hand_step(state: tuple[Any, ...], bottom: bool) -> tuple[Any, ...]:
    """A step on this rank's rows; `bottom`: the last of them are at the wall."""
    h, u, v, dh, du, dv = state
    inner = (slice(1, -1), slice(1, -1))
    still = jnp.zeros_like(h)
    east = wrapped(still.at[inner].set(0.5 * (h[1:-1, 1:-1] + h[1:-1, 2:]) * u[inner]))
    moved = 0.5 * (h[1:-1, 1:-1] + h[2:, 1:-1]) * v[inner]
    north = wrapped(still.at[inner].set(moved.at[-1].set(0.0) if bottom else moved))
    east, north = exchanged(east), exchanged(north)
    around = h[1:-1, 1:-1] + h[1:-1, 2:] + h[2:, 1:-1] + h[2:, 2:]
    turning = (v[1:-1, 2:] - v[1:-1, 1:-1] - u[2:, 1:-1] + u[1:-1, 1:-1]) / DX
    q = exchanged(wrapped(still.at[inner].set((F + turning) * 4.0 / around)))
    energy = 0.25 * (u[inner] ** 2 + u[1:-1, :-2] ** 2 + v[inner] ** 2 + v[:-2, 1:-1] ** 2) + G * h[inner]
    energy = exchanged(wrapped(still.at[inner].set(energy)))
    new_h = -(east[inner] - east[1:-1, :-2] + north[inner] - north[:-2, 1:-1]) / DX
    new_u = 0.25 * (
        q[inner] * (north[inner] + north[1:-1, 2:]) + q[:-2, 1:-1] * (north[:-2, 1:-1] + north[:-2, 2:])
    ) - (energy[1:-1, 2:] - energy[inner]) / DX  # fmt: skip
    new_v = -0.25 * (
        q[inner] * (east[inner] + east[2:, 1:-1]) + q[1:-1, :-2] * (east[1:-1, :-2] + east[2:, :-2])
    ) - (energy[2:, 1:-1] - energy[inner]) / DX  # fmt: skip
    h = h.at[inner].add(DT * (NOW * new_h + BEFORE * dh))
    u = u.at[inner].add(DT * (NOW * new_u + BEFORE * du))
    change = DT * (NOW * new_v + BEFORE * dv)
    v = v.at[inner].add(change.at[-1].set(0.0) if bottom else change)
    h, u, v = (exchanged(wrapped(a)) for a in (h, u, v))
    rubbed = []
    for a in (u, v):
        drag = a[2:, 1:-1] + a[:-2, 1:-1] + a[1:-1, 2:] + a[1:-1, :-2] - 4 * a[inner]
        drag = DT * FRICTION / DX**2 * (drag.at[-1].set(0.0) if bottom else drag)
        rubbed.append(exchanged(wrapped(a.at[inner].add(drag))))
    return h, *rubbed, new_h, new_u, new_v


@partial(jax.jit, static_argnums=(1, 2))
def by_hand(state: tuple[Any, ...], steps: int, bottom: bool) -> tuple[Any, ...]:
    """Steps of the model on this rank's rows."""
    return jax.lax.fori_loop(0, steps, lambda _, s: hand_step(s, bottom), state)


def own_rows(a: Any) -> Any:
    """This rank's rows of what is between the walls, and one more on both sides."""
    inside = len(a) - 2
    first, last = inside * WORLD.rank // WORLD.size, inside * (WORLD.rank + 1) // WORLD.size
    return a[first : last + 2]


def least(run: Callable[[], Any]) -> float:
    """Seconds of a run, the least of several; the slowest rank's."""
    run()
    found = []
    for _ in range(RUNS):
        WORLD.Barrier()
        begin = time.perf_counter()
        run()
        found.append(WORLD.allreduce(time.perf_counter() - begin, MPI.MAX))
    return min(found)


def main() -> None:
    """Check that both give the same, measure, and print ratios."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--rows", type=int, default=1002)
    given.add_argument("--columns", type=int, default=1002)
    given.add_argument("--steps", type=int, default=50)
    asked = given.parse_args()
    jax.config.update("jax_enable_x64", True)
    whole = start(asked.rows, asked.columns)
    for a in whole:
        wrap(a)
    bottom = WORLD.rank == WORLD.size - 1
    state = tuple(jnp.asarray(own_rows(a)) for a in whole)
    state += tuple(jnp.zeros((len(state[0]) - 2, asked.columns - 2)) for _ in range(3))
    hand = least(lambda: jax.block_until_ready(by_hand(state, asked.steps, bottom)))
    jax_height = np.asarray(by_hand(state, asked.steps, bottom)[0])
    plain = [a.copy() for a in whole]
    begin = time.perf_counter()
    model(*plain, asked.steps)
    numpy = time.perf_counter() - begin

    lazyarr.init()
    import lazyarr.numpy as lnp

    fast = lazyarr.accelerate(model, strict=True)
    parts = [lnp.array(a) for a in whole]
    fast(*parts, asked.steps)
    height = np.asarray(parts[0])
    ours = least(lambda: fast(*parts, asked.steps))
    np.testing.assert_array_equal(height, plain[0])
    np.testing.assert_allclose(jax_height[1:-1], own_rows(plain[0])[1:-1], rtol=1e-9)
    if WORLD.rank == 0:
        print(f"{WORLD.size} ranks, {asked.rows} x {asked.columns}, {asked.steps} steps: by hand on mpi4jax "
              f"{hand / ours:.2f} times as long as lazyarr, NumPy on one core {numpy / ours:.1f} times")  # fmt: skip


if __name__ == "__main__":
    main()
