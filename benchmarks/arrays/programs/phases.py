"""Fields turned by phases, added and turned into power: complex exponentials."""

from __future__ import annotations

import numpy as np

KIND, MOST = "float32 and complex", 10**7


def make(n):
    rng = np.random.default_rng(26)
    field = rng.normal(size=n) + 1j * rng.normal(size=n)
    return field, rng.normal(size=n) + 1j * rng.normal(size=n), rng.uniform(-3.0, 3.0, n)


def run(a, b, phi):
    mixed = a * np.exp(1j * phi) + b * np.conj(a)
    return mixed.real**2 + mixed.imag**2
