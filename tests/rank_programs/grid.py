"""Arrays that are split on another grid for a part of the program, and on both."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

import lazyarr
from lazyarr import world

together = world.current()
count = 1 if together is None else together.size
rows, columns = (2, 2) if count == 4 else (1, count)


def step(u: Any) -> None:
    u[1:-1, 1:-1] += 0.2 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1])


rng = np.random.default_rng(3)
before: Any = rng.random((60, 44))
vector: Any = rng.random(4000) * 2
pending = before * 3 + 1
with lazyarr.grid(rows, columns):
    inside: Any = rng.random((60, 44)) + 1
    for _ in range(12):
        step(inside)
        step(before)
    mixed = inside * 2 - before[::-1] + pending
    some = vector[5:3900:2] + inside.sum()
    if together is not None:
        parts = [x.local.array.shape for x in (inside, mixed)]
        expected = (60 // rows, 22) if rows == 2 else (60 // count, 44)
        print(parts == [expected, expected], file=sys.stderr)
    with lazyarr.grid(count, 1):
        again = mixed.T @ inside
        print(f"{again[3, 5]:.9f} {mixed[1:, ::3].sum():.9f} {some.max():.10f}")
    print(f"{(again + again.T).mean():.10f} {np.sort(vector)[17]:.12f} {inside[7, 7]:.12f}")
    try:
        with lazyarr.grid(3, 5):
            print("taken" if count == 1 else "wrong")
    except ValueError as error:
        print("taken" if str(error) == f"the grid (3, 5) has 15 places; there are {count} ranks" else error)
step(before)
step(inside)
print(f"{before.sum():.9f} {inside.sum():.9f} {(before + inside)[20:30].max():.12f} {mixed[::-1, 4:].sum():.8f}")
for wrong in ((0, 2), (), (-1, -4)):
    try:
        lazyarr.grid(*wrong)
    except ValueError as error:
        print(error)
