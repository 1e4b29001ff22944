"""Compiled loops with reductions, and loops that data ends, on split arrays. The bits are printed."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

import lazyarr


def bits(*arrays: Any) -> str:
    return " ".join(hashlib.sha1(np.asarray(a).tobytes()).hexdigest()[:12] for a in arrays)


@lazyarr.accelerate
def jacobi(u: Any, limit: float) -> Any:
    change, n = 1.0, 0
    while change > limit:
        new = u.copy()
        new[1:-1, 1:-1] = 0.25 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2])
        change = np.abs(new - u).max()
        u = new
        n += 1
    return u, n, change


@lazyarr.accelerate
def broken(u: Any, limit: float, most: int) -> Any:
    for n in range(most):  # noqa: B007
        new = u.copy()
        new[1:-1] = 0.5 * (u[2:] + u[:-2])
        change = np.abs(new - u).max()
        u = new
        if change < limit:
            break
    return u, n


@lazyarr.accelerate
def recorded(u: Any, steps: int) -> Any:
    most = np.zeros(steps)
    for i in range(steps):
        u[1:-1, 1:-1] += 0.2 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1])
        most[i] = u.max()
    return most


u = np.random.default_rng(7).random((203, 24))
for limit in (0.3, 0.03, 0.004):
    found, n, change = jacobi(u, limit)
    print("jacobi", bits(found), n, float(change))
for most in (3, 50, 1000):
    found, n = broken(u, 0.01, most)
    print("broken", bits(found), n)
print("recorded", bits(recorded(u, 37), u))
