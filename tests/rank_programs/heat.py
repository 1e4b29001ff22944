"""A heat equation on a square: a plate with one hot edge."""

from __future__ import annotations

import numpy as np

n = 120
u = np.zeros((n, n))
u[0] = 1.0
u[:, 0] = np.linspace(1, 0, n)
for _ in range(50):
    u[1:-1, 1:-1] += 0.2 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1])
print(f"{u.sum():.10f} {u.max():.10f}")
print(u[n // 2, :5])
