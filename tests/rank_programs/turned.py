"""Arrays that are turned round, in the namespace and in accelerated functions."""

# mypy: ignore-errors
# ruff: noqa
from __future__ import annotations

import numpy as np

import lazyarr
from lazyarr import world


def elementwise(x):
    y = np.exp(-x[::-1]) * 2
    return y, y + x, y[::-1] - x, y.sum(), y.max(axis=-1), np.where(y > 1, y, x), y[::2], y[3:-4] ** 2


def beside(x):
    y = x[::-1] * 2
    padded = np.pad(y, ((1, 2), (0, 0)))
    return y[1:] - y[:-1], y[2:] + y[:-2] - 2 * y[1:-1], np.diff(y, axis=0), padded, np.roll(y, 3, 0)


def along(x):
    y = x[::-1] * 2
    shapes = y.ravel(), y.reshape(-1, 3)
    return np.cumsum(y, axis=0), np.sort(y, axis=0), y.argmax(axis=0), np.fft.fft(y, axis=0), *shapes


def products(x):
    y = x[::-1] + 1
    return y @ x.T, x.T @ y, y.T @ y, np.einsum("ij,ij->i", y, x), np.concatenate([y, x, y]), np.stack([y, x])


def written(x):
    y = x[::-1] + 1
    y[1:-1] += 0.25 * (y[2:] + y[:-2])
    y[5:9] = x[5:9]
    x[::-1] -= y
    return x, y, x[::-1]


def sweeps(x):
    y = x[::-1] * 2
    for _ in range(7):
        y[1:-1] += 0.25 * (y[2:] + y[:-2] - 2 * y[1:-1])
    return y, y[::-1] + x


def turned_in_a_loop(x):
    for _ in range(5):
        x = np.sqrt(abs(x[::-1] + x * 0.5))
    return x


def both_axes(x):
    y = x[::-1, ::-1] * 3
    return y, y[1:, 1:] - y[:-1, :-1], y.sum(axis=0), y.sum(axis=1)


together = world.current()
for function in (elementwise, beside, along, products, written, sweeps, turned_in_a_loop, both_axes):
    for how in (function, lazyarr.accelerate(always=True)(function)):
        x = np.random.default_rng(1).random((93, 48))
        found = how(x)
        for y in found if isinstance(found, tuple) else (found,):
            w = np.arange(y.size).reshape(y.shape)
            print(function.__name__, y.shape, y.dtype, f"{float(abs(y).sum()):.9g} {float((abs(y) * w).sum()):.9g}")
if together is not None:
    y = np.exp(x[::-1])
    counts = together.communicator.counts
    before = counts["exchange bytes"]
    assert (y * 2).local.array.size < y.size and counts["exchange bytes"] == before
