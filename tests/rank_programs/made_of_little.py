"""Large arrays that are made of small ones."""

# mypy: ignore-errors
# ruff: noqa
from __future__ import annotations

import numpy as np

from lazyarr import world

n = 150
x = np.linspace(0, 1, n)
k = np.exp(-(x[:, None] - x) ** 2) + 0.1 * np.eye(n)
u = np.outer(np.sin(x), np.cos(x))
for _ in range(20):
    u[1:-1, 1:-1] += 0.2 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1])
a, b = np.meshgrid(x, x, indexing="ij")
print(f"{k.sum():.9f} {u.sum():.9f} {u[3, 7]:.9f} {(a * b).max():.9f} {(k @ x).sum():.9f} {np.linalg.det(k):.6g}")
print(np.tile(x, 40).sum().round(6), np.repeat(x, 50).reshape(-1, 3)[5], (np.add.outer(x, x) > 1).sum())
if world.current() is not None:
    for y in (k, u, a * b, np.add.outer(x, x), np.tile(x, 40)):
        assert y.local.array.size <= y.size * 0.7, y.shape
