"""Run lengths and classes of a signal: a state machine over its samples with thresholds and hysteresis.

(A Schmitt trigger; Horowitz and Hill, The Art of Electronics, 4.24.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": 20, "bench": 120_000}


def make(n):
    t = np.arange(n)
    return np.sin(0.05 * t) + 0.3 * np.random.default_rng(67).standard_normal(n), 0.3, 0.9


def run(signal, low, high):
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
