"""The number below a limit with the longest Collatz sequence, with Python integers.

(Lagarias, The 3x + 1 problem and its generalizations, 1985.)
"""

from __future__ import annotations

SIZES = {"test": 30, "bench": 7_000}


def make(limit):
    return (limit,)


def run(limit):
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
