from __future__ import annotations

import numpy as np
from numba import njit


def program(a, b, tolerance):
    x = np.zeros_like(b)
    r = b - np.dot(a, x)
    p = r.copy()
    rho = np.dot(r, r)
    iterations = 0
    stop = tolerance * np.linalg.norm(b)
    while np.sqrt(rho) > stop and iterations < 10 * len(b):
        q = np.dot(a, p)
        alpha = rho / np.dot(p, q)
        x += alpha * p
        r -= alpha * q
        old = rho
        rho = np.dot(r, r)
        p = r + rho / old * p
        iterations += 1
    return x, iterations


run = njit(program)
