"""A program that other processes run, which prints what it finds on disk: see `tests.test_kept`."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

import lazyarr
from lazyarr import disk


@lazyarr.accelerate
def sweep(u: Any, alpha: float, steps: int) -> Any:
    """Loops, threads, a BLAS product, a transcendental function, and an operation of NumPy's own."""
    for _ in range(steps):
        u[1:-1] += alpha * np.sin(u[2:] - 2 * u[1:-1] + u[:-2])
        if u[3, 3] > 100:
            u[:] = np.sort(u, axis=0)
    return u @ u[0], np.sort(u[0]), u.max(), steps + 1


@lazyarr.accelerate
def first(x: Any, limit: float) -> Any:
    """A guard that fails."""
    k = 0
    while x[k] < limit:
        k += 1
    return k


@lazyarr.accelerate(always=True)
def drawn(rng: Any, n: int) -> Any:
    """Random numbers, some of them by NumPy's own functions in C."""
    total = 0.0
    for _ in range(n):
        total += rng.normal() + rng.poisson(3.0) * rng.standard_exponential()
    return total


@lazyarr.accelerate(always=True)
def multiplied(u: Any) -> Any:
    """A product of large matrices, by code that programs share."""
    return (u + 1) @ u.T


def main() -> None:
    rng = np.random.default_rng(0)
    u, found = rng.random((200, 300)), hashlib.sha256()
    for steps in (7, 8, 9, 10):
        results = sweep(u, 0.1, steps)
        for x in (u, *results):
            found.update(np.asarray(x).tobytes())
    x = np.arange(10.0)
    for limit in (3.5, 4.5, 5.5, 20.0):
        try:
            found.update(str(first(x, limit)).encode())
        except IndexError as error:
            found.update(str(error).encode())
    found.update(multiplied(u).tobytes())
    found.update(str([drawn(rng, 500), rng.random()]).encode())
    names = sorted(entry.path.name for entry in disk.entries())
    print(found.hexdigest(), dict(sorted(disk.hits().items())), disk.problem, lazyarr.report().guards[0].what, *names,
          sep="\n")  # fmt: skip


if __name__ == "__main__":
    main()
