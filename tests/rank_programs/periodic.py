"""Compiled time loops that go round along the split axis. The bits are printed."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

import lazyarr


def bits(*arrays: Any) -> str:
    return " ".join(hashlib.sha1(np.asarray(a).tobytes()).hexdigest()[:12] for a in arrays)


@lazyarr.accelerate
def heat(u: Any, steps: int) -> Any:
    for _ in range(steps):
        u = u + 0.1 * (np.roll(u, 1, 0) + np.roll(u, -1, 0) + np.roll(u, 1, 1) + np.roll(u, -1, 1) - 4 * u)
    return u


@lazyarr.accelerate
def leapfrog(u: Any, v: Any, c: Any, steps: int) -> Any:
    for _ in range(steps):
        u, v = 2 * u - v + 0.2 * c * (np.roll(u, 1, 0) + np.roll(u, -1, 0) - 2 * u), u
    return u, v


@lazyarr.accelerate
def wrapped(u: Any, steps: int) -> Any:
    for k in range(steps):
        p = np.pad(u, 2, mode="wrap")
        u = u + 0.1 * (p[4:] + p[:-4] - 2 * u) + 0.001 * k
    return u


rng = np.random.default_rng(5)
u, v, c = rng.random((211, 24)), rng.random((211, 24)), rng.random((211, 24))
print("heat", bits(heat(u, 37)))
print("leapfrog", bits(*leapfrog(u, v, c, 32)))
print("wrapped", bits(wrapped(rng.random(5003), 41)))
