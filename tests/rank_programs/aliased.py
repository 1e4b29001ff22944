"""Arguments of accelerated functions that share memory, and arrays found outside that are arguments too."""

from __future__ import annotations

from typing import Any

import numpy as np

import lazyarr


@lazyarr.accelerate
def both(x: Any, y: Any) -> Any:
    y[...] = y * 2
    x[1:] += y[:-1]
    return y - x


@lazyarr.accelerate
def held(pair: Any) -> Any:
    pair[0][0] = 7
    return pair[1][0] + 0


v = np.random.default_rng(1).random((100, 90)) * 1
print(f"{both(v, v).sum():.8f} {v.sum():.6f}")
print(f"{both(v[1:], v[:-1]).sum():.6f} {v.sum():.6f}")
print(f"{held([v, v]).sum():.6f} {v.sum():.6f}")
found = np.random.default_rng(2).random((100, 90))


@lazyarr.accelerate
def outside(x: Any) -> Any:
    x += found
    return x.sum() + found.sum()


print(f"{outside(v):.6f} {outside(v):.6f} {outside(found):.6f} {outside(v):.6f} {found.sum():.6f}")
