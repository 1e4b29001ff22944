"""Conjugate gradients for a dense system."""

from __future__ import annotations

import numpy as np

rng = np.random.default_rng(3)
n = 200
a = rng.random((n, n))
a = a @ a.T + n * np.eye(n)
b = rng.random(n)
x = np.zeros(n)
r = b - a @ x
p = r.copy()
rs = r @ r
steps = 0
while np.sqrt(rs) > 1e-10:
    ap = a @ p
    alpha = rs / (p @ ap)
    x += alpha * p
    r -= alpha * ap
    new = r @ r
    p = r + (new / rs) * p
    rs = new
    steps += 1
print(steps, f"{x.sum():.9f} {np.linalg.norm(a @ x - b) < 1e-9}")
