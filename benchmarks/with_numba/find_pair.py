from __future__ import annotations

from numba import njit


def program(values, target):
    for i in range(len(values)):
        for j in range(i + 1, len(values)):
            if values[i] + values[j] == target:
                return i, j
    return -1, -1


run = njit(program)
