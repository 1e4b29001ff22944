"""Arrays that are split as the program says: by columns, and not at all."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

import lazyarr

x: Any = np.random.default_rng(2).random((60, 40))
ranks = getattr(x, "local", None)
count = 1 if ranks is None or ranks.world is None else ranks.world.size
columns: Any = lazyarr.partition(x, (1, count))
rows: Any = lazyarr.partition(columns + 1, (count, 1))
everywhere: Any = lazyarr.partition(x, (1, 1))
x[:] = 0
print(f"{columns.cumsum(axis=0)[7, 3]:.12f} {columns.cumsum(axis=1)[7, 3]:.12f} {(columns.T @ rows)[3, 5]:.10f}")
print(f"{rows.max(axis=0)[2]:.12f} {everywhere.sum():.10f} {(everywhere - columns).sum():.10f} {x.sum():.1f}")
for grid in ((1,), (1, 1000)):
    try:
        lazyarr.partition(columns, grid)
    except ValueError as error:
        print("ValueError" if count > 1 or len(grid) == 1 else error)
    else:
        print("ValueError")  # one rank alone takes any grid
if count > 1:
    print(columns.local.array.shape == (60, 40 // count), everywhere.local.array.shape, file=sys.stderr)
