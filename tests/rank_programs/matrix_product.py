"""A product of two matrices."""

from __future__ import annotations

import numpy as np

n = 200
i = np.arange(n, dtype=float)
a = np.sin(i[:, None] + 2 * i[None, :])
b = np.cos(i[:, None] * 0.5 - i[None, :])
c = a @ b
print(f"{np.abs(c).sum():.7f} {np.trace(c):.7f} {c[3, 5]:.9f}")
