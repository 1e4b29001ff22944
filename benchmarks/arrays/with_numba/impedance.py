from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(omega, resistance, capacitance, inductance):
    out = np.empty(omega.size, np.complex128)
    for i in prange(omega.size):
        coil = 1j * omega[i] * inductance
        out[i] = coil / (coil + resistance / (1.0 + 1j * omega[i] * capacitance * resistance))
    return out


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
