from __future__ import annotations

from numba import njit


def program(limit):
    best, longest = 1, 1
    for start in range(1, limit):
        n = start
        length = 1
        while n != 1:
            if n % 2 == 0:
                n //= 2
            else:
                n = 3 * n + 1
            length += 1
        if length > longest:
            best, longest = start, length
    return best, longest


run = njit(program)
