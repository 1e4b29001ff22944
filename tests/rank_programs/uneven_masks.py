"""Masks that select on some ranks only, or nothing."""

# mypy: ignore-errors
# ruff: noqa
from __future__ import annotations

import numpy as np

from lazyarr import world

x = np.arange(10_000.0)
first = x[x < 3000]                    # all on the first ranks
none = x[x < 0]
last = x[x >= 9999]
u = np.arange(6000.0).reshape(3, 2000)  # fewer rows than ranks
print(first.shape, first.sum(), none.shape, last, u[u > 2500].sum(), u[[True, False, True]].sum())
first[first % 2 == 0] = first[first % 2 == 1]
print(first[:4], first.sum(), np.nonzero(first == 2999)[0])
together = world.current()
if together is not None:
    assert first.local.array.size <= 3000 // together.size, first.local.place
