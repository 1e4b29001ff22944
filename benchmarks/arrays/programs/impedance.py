"""The voltage over the coil of a circuit with resistor, capacitor and coil at many frequencies: complex arithmetic."""

from __future__ import annotations

import numpy as np

KIND, MOST, PASSES = "float32 and complex", 10**7, 1


def make(n):
    return np.random.default_rng(25).uniform(1e2, 1e5, n), 50.0, 1e-7, 2e-3


def run(omega, resistance, capacitance, inductance):
    coil = 1j * omega * inductance
    total = coil + resistance / (1.0 + 1j * omega * capacitance * resistance)
    return coil / total
