"""The primes below a limit by the sieve of Eratosthenes, multiples crossed out by slices with a step.

(Knuth, The Art of Computer Programming, volume 2, 4.5.4.) Gives how many there are, and the flags.
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": 50, "bench": 16_000_000}


def make(limit):
    return (limit,)


def run(limit):
    prime = np.ones(limit, dtype=bool)
    prime[:2] = False
    i = 2
    while i * i < limit:
        if prime[i]:
            prime[i * i :: i] = False
        i += 1
    return prime.sum(), prime
