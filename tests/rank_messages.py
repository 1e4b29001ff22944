"""Compiled loops that exchange and reduce in each iteration: run on several ranks by tests/test_mpi_native.py.

``rank_messages.py native|python|mixed``: who sends what; then the grid, if it is one of two dimensions. Results are
NumPy's, element by element; all that is added up is a whole number, so that the order does not matter.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from mpi4py import MPI

import lazyarr
from lazyarr import world

WORLD, HOW = MPI.COMM_WORLD, sys.argv[1]


def rows(u: Any, n: int) -> Any:
    for _ in range(n):
        u[1:-1] = u[2:] + u[:-2] - u[1:-1]
    return u


def both_axes(u: Any, n: int) -> Any:
    for _ in range(n):
        u[1:-1, 1:-1] = u[2:, 1:-1] + u[:-2, 1:-1] - u[1:-1, 2:] - u[1:-1, :-2]
    return u


def fields(u: Any, v: Any, w: Any, n: int) -> Any:
    for _ in range(n):
        a, b, c = v[2:] - u[1:-1], w[2:] + u[:-2], u[2:] - v[:-2]
        u[1:-1], v[1:-1], w[1:-1] = a, b, c
    return u, v, w


def with_sums(u: Any, n: int) -> Any:
    total = u.sum()
    for _ in range(n):
        u[1:-1] = (u[2:] - u[:-2] + total) % 8
        total = u.sum() % 5
    return u, total


def extremes(u: Any, n: int) -> Any:
    for _ in range(n):
        u = u * 3 - u.max() - u.min(axis=0)
    return u


def columns(u: Any, n: int) -> Any:
    for _ in range(n):
        u = u + u.sum(axis=0)
    return u


def flags(u: Any, n: int) -> Any:
    found = u > 3
    for _ in range(n):
        found[1:-1] = found[2:] ^ found[:-2]
        found = found ^ (found.all() | ~found.any())
    return found


def products(u: Any, n: int) -> Any:
    for _ in range(n):
        u = u * (1 - 2 * (u.prod(axis=0) % 2))
    return u


def converged(u: Any, n: int) -> Any:
    steps = 0
    while np.abs(u).max() > n and steps < 50:
        u[1:-1] = (u[2:] + u[:-2]) // 4
        steps += 1
    return u, steps


def with_flips(u: Any, n: int) -> Any:
    for _ in range(n):
        u = u[::-1] - np.cumsum(u, axis=0) % 7
    return u


def turned(u: Any, n: int) -> Any:
    for _ in range(n):
        u = np.sort(u, axis=0) - u[::-1]
    return u


def given(shape: tuple[int, ...], dtype: str, seed: int = 0) -> Any:
    x = np.random.default_rng(seed).integers(0, 9, shape)
    return (x + 1j * x[::-1]).astype(dtype) if dtype[0] == "c" else x.astype(dtype)


def calls() -> list[tuple[Callable[..., Any], tuple[Any, ...]]]:
    found: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
    for dtype in ("c16", "i1"):
        found += [(rows, (given((300, 7), dtype), 40)), (columns, (given((200, 9), dtype), 1))]
    found += [(both_axes, (given((60, 40), "f4"), 40)), (with_sums, (given((900,), "f8"), 3))]
    found += [(extremes, (given((90, 30), "f8"), 3))]
    found += [
        (fields, (given((90, 30), "f8", 1), given((90, 30), "f8", 2), given((90, 30), "f8", 3), 6)),
        (fields, (given((90, 31), "i1", 1), given((90, 31), "i8", 2), given((90, 31), "u2", 3), 40)),
        (flags, (given((200, 11), "i8"), 9)), (products, (given((120, 10), "i8"), 3)),
        (converged, (given((2000,), "i8") * 100, 3)), (with_flips, (given((200, 6), "i8"), 3)),
        (turned, (given((200, 6), "i8"), 3)),
        # Sums of so many bytes MPI adds up.
        (columns, (given((4, 3000), "f8"), 3)), (columns, (given((4, 3000), "c8"), 3)),
        (columns, (given((4, 9000), "u2"), 3)),
    ]  # fmt: skip
    if len(sys.argv) > 2:
        return [call for call in found if call[0] in (both_axes, fields, with_sums, extremes, flags)]
    return found


def forbidden(*arguments: Any, **others: Any) -> Any:
    raise AssertionError("native code has asked Python for a message")


lazyarr.configure(split_above=300, native_messages=int(HOW == "native" or (HOW == "mixed" and WORLD.rank % 2)))
expected = [f(*(np.array(x) if isinstance(x, np.ndarray) else x for x in xs)) for f, xs in calls()]
lazyarr.init(grid=tuple(map(int, sys.argv[2].split(","))) if len(sys.argv) > 2 else None)
together = world.current()
assert together is not None
communicator: Any = together.communicator
assert (communicator.native is not None) == bool(lazyarr.configure().native_messages)
compiled: dict[Callable[..., Any], Callable[..., Any]] = {
    f: lazyarr.accelerate(always=True)(f) for f in (with_flips, *(f for f, _ in calls()))
}
python: Any = type(communicator)
if HOW == "native":
    python.halo = python.all_reduce = forbidden
for (function, arguments), right in zip(calls(), expected, strict=True):
    found = compiled[function](*arguments)
    found, right = (x if isinstance(x, tuple) else (x,) for x in (found, right))
    for a, b in zip(map(np.asarray, found), map(np.asarray, right), strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape), (function, arguments[0].dtype, a.dtype, b.dtype)
        assert np.array_equal(a, b), (function, arguments[0].dtype, a, b)

# What is sent, and counted, does not depend on who sends it.
communicator.counts.clear()
compiled[fields](*(given((90, 30), "f8", k) for k in range(3)), 6)
compiled[with_sums](given((900,), "f8"), 3)
counts = WORLD.gather(list(communicator.counts.values()), 0)

# (What is split needs no exchange in Python before or after.)
split = [lazyarr.numpy.array(given((200, 6), "i8")) + 0 for _ in range(2)]
for x in split:
    x.local
if HOW == "native":
    exchange, python.exchange = python.exchange, forbidden
results = [compiled[function](x, 3) for function, x in zip((with_flips, both_axes), split, strict=True)]
for x in results:
    x.local
if HOW == "native":
    python.exchange = exchange
for function, x in zip((with_flips, both_axes), results, strict=True):
    assert np.array_equal(np.asarray(x), function(given((200, 6), "i8"), 3)), function
if counts:
    print(counts)
