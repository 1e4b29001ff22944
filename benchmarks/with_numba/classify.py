from __future__ import annotations

import numpy as np
from numba import njit


def program(signal, low, high):
    state = 0
    length = 0
    longest = 0
    counts = np.zeros(4, dtype=np.int64)
    for x in signal:
        if x > high:
            new = 2
        elif x > low:
            new = 2 if state == 2 else 1
        elif x < -high:
            new = 3
        else:
            new = 0
        if new == state:
            length += 1
        else:
            longest = max(longest, length)
            length = 1
            state = new
        if length % 7 == 3:
            continue
        counts[new] += 1
    return counts, max(longest, length)


run = njit(program)
