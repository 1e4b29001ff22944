from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(green, coupling, spectrum):
    momenta, energies = green.shape[:2]
    frequencies = spectrum.shape[1]
    sigma = np.zeros_like(green)
    for e in prange(energies):
        for k in range(momenta):
            for q in range(momenta):
                mixed = np.zeros_like(green[0, 0])
                for w in range(min(frequencies, e + 1)):
                    mixed += spectrum[q, w] * green[k - q, e - w]
                sigma[k, e] += coupling[q] @ mixed @ np.ascontiguousarray(coupling[q].T)
    return sigma


run = njit(program)
run_parallel = njit(parallel=True)(program)
