"""Lloyd's algorithm: three clusters of points in a plane."""

from __future__ import annotations

import numpy as np

rng = np.random.default_rng(0)
points = np.concatenate([rng.normal(c, 0.3, (3000, 2)) for c in ((0, 0), (3, 1), (1, 4))])
centres = points[[0, 4000, 8000]].copy()
for _ in range(10):
    distances = ((points[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2)
    labels = distances.argmin(axis=1)
    for k in range(3):
        mine = labels == k
        centres[k] = (points * mine[:, None]).sum(axis=0) / mine.sum()
print(np.round(centres, 9), np.bincount(labels, minlength=3))
