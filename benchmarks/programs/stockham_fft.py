"""The discrete Fourier transform by Stockham's algorithm, radix 2: no bit reversal, two arrays in turn.

(Van Loan, Computational Frameworks for the Fast Fourier Transform, 1.7.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": 5, "bench": 19}


def make(logarithm):
    rng = np.random.default_rng(62)
    n = 2**logarithm
    return rng.standard_normal(n) + 1j * rng.standard_normal(n), logarithm


def run(x, logarithm):
    n = len(x)
    for q in range(logarithm):
        half = 2**q
        twiddle = np.exp(-1j * np.pi * np.arange(half) / half)
        parts = x.reshape(2, n // (2 * half), half)
        even = parts[0]
        odd = twiddle * parts[1]
        x = np.stack((even + odd, even - odd), axis=1).reshape(n)
    return x
