"""Little work on arrays that are split, which ranks do at once, and what masks select of these."""

# mypy: ignore-errors
# ruff: noqa
from __future__ import annotations

import numpy as np

rng = np.random.default_rng(5)
v = rng.random(1501)
w = rng.normal(size=1501)
m = rng.random((37, 43))
k = (v * 7).astype(int)
z = v + 1j * w
f = v.astype(np.float32)

print((v + w).sum().round(9), (v * 2 - 1)[[0, 750, 1500]], np.sqrt(v).mean().round(9), (-w).max(), (v > 0.5).sum())
print((f * 2).dtype, (f + v).dtype, (k // 2).dtype, (k + 1).sum(), (k % 3 == 1).sum(), (z * z.conj()).real.sum().round(9))
print(np.where(v > w, v, w).sum().round(9), np.hypot(v, w).min().round(9), np.clip(w, -1, 1).sum().round(9))
print((m - m.mean(0)).std().round(9), (m - m.mean(1)[:, None]).max().round(9), (m / m.sum()).sum().round(9))
print((m * np.arange(43)).sum(0)[:3].round(9), (m * np.arange(37)[:, None]).sum(1)[-3:].round(9), m.max(0)[:2], m.min(1)[:2])
print(np.add.reduce(k), np.multiply.reduce(v[:7]).round(9), (v > 2).any(), (v < 2).all(), np.bitwise_or.reduce(k), k.max(), k.min())
print((v < 0.5).sum().dtype, f.sum().dtype, (v > 0.1).dtype, z.sum().round(9), np.abs(z).max().round(9), m.sum(axis=(0, 1)).round(9))

a = v.copy()
b = a
a += 1
a *= w
b -= 0.5
print(a.sum().round(9), b.sum().round(9), v.sum().round(9), (a is b))
c = m * 1
d = c
c[c > 0.9] = 0
d += 1
print(c.sum().round(9), m.sum().round(9), np.isnan(np.log(w)).sum(), np.divmod(k, 3)[1].sum(), np.modf(w)[0].sum().round(9))

for label in range(7):
    chosen = np.stack([v, w], axis=1)[k == label]
    print(label, chosen.shape, chosen.mean(axis=0).round(9), chosen.max(axis=0).round(9), chosen.std().round(9))
points = rng.random((4001, 3))
points[points[:, 0] > 0.5, 1] *= 2
points[points[:, 1] < 0.25] = 0
low = points[:, 2] < 0.4
picked = points[low]
picked -= picked.mean(axis=0)
print(picked.shape, picked.sum().round(7) + 0.0, picked[:2].round(9), picked[-1].round(9))
points[low] = picked[::-1]
print(points.sum(0).round(7), points[low][0].round(9), np.nonzero(low)[0][[0, 1, -1]], np.argwhere(low).sum())
rows = np.flatnonzero(low)
points[rows] += 1
print(points.sum(0).round(7), points[rows, 1].sum().round(7), np.sort(picked[:, 0])[[0, -1]].round(9), len(rows))
flat = points[points > 0.5]
print(flat.shape, flat.sum().round(7), np.cumsum(flat)[-1].round(7), flat[flat > 1].mean().round(9), flat.reshape(-1, 1).shape)
