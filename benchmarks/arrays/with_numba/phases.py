from __future__ import annotations

import math

import numpy as np
from numba import njit, prange


def program(a, b, phi):
    out = np.empty_like(phi)
    for i in prange(phi.size):
        mixed = a[i] * complex(math.cos(phi[i]), math.sin(phi[i])) + b[i] * a[i].conjugate()
        out[i] = mixed.real**2 + mixed.imag**2
    return out


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
