"""What several ranks cost and gain: ``mpiexec -n 2 python -m benchmarks.ranks``.

The cost of an exchange in a compiled loop beside mpi4py's own ``Sendrecv``; a two-dimensional heat equation beside one
rank, and beside NumPy with its communication written by hand. Least times of several runs, of the slowest rank.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from mpi4py import MPI

import lazyarr
from lazyarr import world
from lazyarr.calibration import exchange

WORLD = MPI.COMM_WORLD
RUNS = 5


def least(run: Callable[[], Any], times: int = 1) -> float:
    """Seconds of a run, the least of several; the slowest rank's."""
    run()
    found = []
    for _ in range(RUNS):
        WORLD.Barrier()
        begin = time.perf_counter()
        for _ in range(times):
            run()
        found.append(WORLD.allreduce((time.perf_counter() - begin) / times, MPI.MAX))
    return min(found)


def heat(u: Any, sweeps: int) -> Any:
    """Sweeps of an explicit scheme, in place."""
    for _ in range(sweeps):
        u[1:-1, 1:-1] += 0.2 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1])


def by_hand(u: Any, sweeps: int) -> None:
    """The same on this rank's rows, which have a row of each neighbour's beside them."""
    above = WORLD.rank - 1 if WORLD.rank else MPI.PROC_NULL
    below = WORLD.rank + 1 if WORLD.rank + 1 < WORLD.size else MPI.PROC_NULL
    for _ in range(sweeps):
        WORLD.Sendrecv(u[1], above, 0, u[-1], below, 0)
        WORLD.Sendrecv(u[-2], below, 1, u[0], above, 1)
        heat(u, 1)


def sendrecv() -> float:
    """Seconds of one exchange of 512 bytes with the next rank."""
    mine, theirs = np.zeros(64), np.zeros(64)
    peer = WORLD.rank ^ 1
    if peer >= WORLD.size:
        peer = MPI.PROC_NULL
    return least(lambda: WORLD.Sendrecv(mine, peer, 0, theirs, peer, 0), 2000)


def main() -> None:
    """Measure, and print ratios."""
    alone = lazyarr.accelerate(always=True)(heat)
    small, sweeps = 64, 2000
    half = np.random.default_rng(0).random((small // WORLD.size + 1, small))
    without = least(lambda: alone(half, sweeps)) / sweeps
    large = np.random.default_rng(0).random((2000, 2000))
    one = least(lambda: alone(large, 200)) / 200
    rows = 2000 // WORLD.size + 2
    own = np.random.default_rng(0).random((rows, 2000))
    hand = least(lambda: by_hand(own, 20)) / 20
    plain = sendrecv()

    lazyarr.init()
    lazyarr.configure(split_above=1000)
    here = world.current()
    messages = 2000
    compiled = least(exchange(here.communicator, WORLD.size, 64, messages)) / messages if here else 0.0
    together = lazyarr.accelerate(always=True)(heat)
    square = np.random.default_rng(0).random((small, small))
    with_exchange = least(lambda: together(square, sweeps)) / sweeps
    both = least(lambda: together(large, 200)) / 200
    import lazyarr.numpy as lnp

    split = lnp.array(large)

    def sweep() -> None:
        heat(split, 20)
        split.local  # noqa: B018  computed here

    drop_in = least(sweep) / 20
    if WORLD.rank == 0:
        cost = with_exchange - without
        print(f"{WORLD.size} ranks")
        print(f"an exchange of 512 bytes with each neighbour in a compiled loop: {compiled * 1e6:.2f} us, mpi4py's "
              f"Sendrecv of as many: {plain * 1e6:.2f} us (asked: at most 15 us more)")  # fmt: skip
        print(f"a sweep of {small} x {small} in a compiled loop, beside one without exchanges: {cost * 1e6:.1f} us "
              "more (several share one)")  # fmt: skip
        print(f"heat equation, 2000 x 2000, 200 sweeps: {WORLD.size} ranks, results gathered, are {one / both:.2f} "
              "times as fast as one rank")  # fmt: skip
        print(f"heat equation, 2000 x 2000: the drop-in on {WORLD.size} ranks is {one / drop_in:.2f} times as fast as "
              f"one rank, {hand / drop_in:.1f} times as NumPy with its communication by hand")  # fmt: skip


if __name__ == "__main__":
    main()
