"""The shallow-water equations in two dimensions, by Lax and Friedrichs' scheme: a drop in a basin."""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"
from __future__ import annotations

import numpy as np

GRAVITY = 9.81


def step(h, hu, hv, ratio):
    u, v = hu / h, hv / h
    pressure = 0.5 * GRAVITY * h * h
    found = []
    for q, f, g in ((h, hu, hv), (hu, hu * u + pressure, hu * v), (hv, hv * u, hv * v + pressure)):
        new = q.copy()
        new[1:-1, 1:-1] = 0.25 * (q[2:, 1:-1] + q[:-2, 1:-1] + q[1:-1, 2:] + q[1:-1, :-2]) - 0.5 * ratio * (
            f[2:, 1:-1] - f[:-2, 1:-1] + g[1:-1, 2:] - g[1:-1, :-2]
        )
        new[0], new[-1] = new[1], new[-2]
        new[:, 0], new[:, -1] = new[:, 1], new[:, -2]
        found.append(new)
    return found


n = 100
x = np.linspace(-1, 1, n)
X, Y = np.meshgrid(x, x)
h = 1.0 + 0.3 * np.exp(-20 * (X**2 + Y**2))
hu, hv = np.zeros((n, n)), np.zeros((n, n))
for _ in range(30):
    h, hu, hv = step(h, hu, hv, 0.001 / (x[1] - x[0]))
print(f"{h.sum():.9f} {np.abs(hu).max():.9f} {(hv**2).mean():.9f}")
