from __future__ import annotations

from numba import njit, prange


def program(rain, threshold):
    total, excess, high, wet, above = 0.0, 0.0, rain[0], 0, 0
    for i in prange(rain.size):
        r = rain[i]
        total += r if r > 0.0 else 0.0
        excess += r - threshold if r > threshold else 0.0
        wet += r > 0.0
        above += r > threshold
        high = max(high, r)
    return above / wet, total, excess / above, high


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
