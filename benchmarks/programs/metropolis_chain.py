"""A Markov chain whose distribution is a mixture of two normal ones, by Metropolis' random walk.

(Metropolis and others, Journal of Chemical Physics 21, 1953.) Gives the chain, and the share of steps that were taken.
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": 100, "bench": 200_000}


def make(n):
    return np.random.default_rng(71), n, 1.7


def density(x):
    return np.exp(-0.5 * (x - 2.0) ** 2) + 0.5 * np.exp(-0.5 * (x + 2.0) ** 2)


def run(rng, n, width):
    chain = np.zeros(n)
    x, taken = 0.0, 0
    here = density(x)
    for i in range(n):
        proposed = x + rng.normal(0.0, width)
        there = density(proposed)
        if rng.random() < there / here:
            x, here = proposed, there
            taken += 1
        chain[i] = x
    return chain, taken / n
