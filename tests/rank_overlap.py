"""Loops and statements with halos, with and without work while they come: run on several ranks by test_overlap.py.

``rank_overlap.py native|python|mixed``: who sends what; then the grid, if it is one of two dimensions.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from mpi4py import MPI

import lazyarr
from lazyarr import world
from tests.test_overlap import PROGRAMS, arguments, limited, once

WORLD, HOW = MPI.COMM_WORLD, sys.argv[1]
#: Small, larger, and one of which rows are sent otherwise than small messages are.
SHAPES = ((8, 5), (60, 30), (12, 20_000))


def forbidden(*arguments: Any, **others: Any) -> Any:
    raise AssertionError("native code has asked Python for a message")


def main() -> None:
    found = [p for p in PROGRAMS if p[0] in (limited, once)]
    calls = [(f, arguments(n, last, shape)) for f, n, last in found for shape in SHAPES]
    right = [f(*(np.array(x) if isinstance(x, np.ndarray) else x for x in xs)) for f, xs in calls]
    lazyarr.configure(split_above=16, native_messages=int(HOW == "native" or (HOW == "mixed" and WORLD.rank % 2)))
    lazyarr.init(grid=tuple(map(int, sys.argv[2].split(","))) if len(sys.argv) > 2 else None)
    together = world.current()
    if together is None:
        assert WORLD.size == 1
        lazyarr.configure(overlap="always")
    else:
        communicator: Any = together.communicator
        if HOW == "native":
            type(communicator).halo = type(communicator).start = type(communicator).wait = forbidden
    for (function, given), wanted in zip(calls, right, strict=True):
        compiled = lazyarr.accelerate(always=True)(function)
        counts = []
        for overlap in ("never", "always"):
            # (On one rank in two only: what another one does is its own affair.)
            lazyarr.configure(overlap=overlap if HOW != "mixed" or WORLD.rank != 2 else "never")
            if together is not None:
                communicator.counts.clear()
            given_back = compiled(*(np.array(x) if isinstance(x, np.ndarray) else x for x in given))
            counts.append([] if together is None else list(communicator.counts.values()))
            pairs = zip(*(x if isinstance(x, tuple) else (x,) for x in (given_back, wanted)), strict=True)
            for a, b in pairs:
                assert np.array_equal(np.asarray(a).view(np.int64), b.view(np.int64)), (function, b.shape, overlap)
        assert counts[0] == counts[1], (function, counts)
    if WORLD.rank == 0:
        print("done")


if __name__ == "__main__":
    main()
