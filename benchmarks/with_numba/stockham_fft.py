from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(x, logarithm):
    n = len(x)
    source, target = x.copy(), np.empty_like(x)
    for q in range(logarithm):
        half = 2**q
        blocks = n // (2 * half)
        twiddle = np.exp(-1j * np.pi * np.arange(half) / half)
        for block in prange(blocks):
            for k in range(half):
                even = source[block * half + k]
                odd = twiddle[k] * source[(blocks + block) * half + k]
                target[2 * block * half + k] = even + odd
                target[(2 * block + 1) * half + k] = even - odd
        source, target = target, source
    return source


run = njit(program)
run_parallel = njit(parallel=True)(program)
