"""Compiled time loops on split arrays: sweeps share exchanges, fields share messages. The bits are printed."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

import lazyarr


def bits(*arrays: Any) -> str:
    return " ".join(hashlib.sha1(np.asarray(a).tobytes()).hexdigest()[:12] for a in arrays)


@lazyarr.accelerate
def waves(h: Any, u: Any, v: Any, steps: int) -> Any:
    east, north = np.zeros_like(h), np.zeros_like(h)
    for _ in range(steps):
        east[1:-1, 1:-1] = 0.5 * (h[1:-1, 1:-1] + h[1:-1, 2:]) * u[1:-1, 1:-1]
        north[1:-1, 1:-1] = 0.5 * (h[1:-1, 1:-1] + h[2:, 1:-1]) * v[1:-1, 1:-1]
        for a in (east, north):
            a[:, 0] = a[:, -2]
            a[:, -1] = a[:, 1]
        h[1:-1, 1:-1] -= 0.01 * (east[1:-1, 1:-1] - east[1:-1, :-2] + north[1:-1, 1:-1] - north[:-2, 1:-1])
        u[1:-1, 1:-1] -= 0.1 * (h[1:-1, 2:] - h[1:-1, 1:-1])
        v[1:-1, 1:-1] -= 0.1 * (h[2:, 1:-1] - h[1:-1, 1:-1])


@lazyarr.accelerate
def swapped(u: Any, v: Any, steps: int) -> Any:
    for _ in range(steps):
        v[1:-1] = 0.5 * (u[2:] + u[:-2])
        u, v = v, u
    return u, v


rng = np.random.default_rng(3)
h, u, v = 1 + rng.random((210, 24)), rng.random((210, 24)), rng.random((210, 24))
waves(h, u, v, 37)
print("waves", bits(h, u, v))
print("swapped", bits(*swapped(rng.random(5000), rng.random(5000), 41)))
