from __future__ import annotations

import numexpr


def run(a, b, phi):
    i = 1j
    mixed = numexpr.evaluate("a * exp(i * phi) + b * conj(a)")
    return numexpr.evaluate("real(mixed)**2 + imag(mixed)**2")
