"""Sorting and order statistics."""

from __future__ import annotations

import numpy as np

rng = np.random.default_rng(1)
x = rng.random(50_000)
y = np.sort(x)
print(y[:3], y[-3:], np.argsort(x)[:5], (np.diff(y) >= 0).all(), np.median(x), np.cumsum(x)[-1].round(6))
