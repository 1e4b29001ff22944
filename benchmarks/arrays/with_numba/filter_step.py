from __future__ import annotations

import numpy as np
from numba import njit


def program(x, p, f, q, h, r, z):
    x = f @ x
    p = f @ p @ f.T + q
    gain = p @ h.T @ np.linalg.inv(h @ p @ h.T + r)
    x = x + gain @ (z - h @ x)
    return x, (np.eye(4) - gain @ h) @ p


run = njit(cache=True)(program)
