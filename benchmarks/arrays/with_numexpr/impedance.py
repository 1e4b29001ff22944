from __future__ import annotations

import numexpr


def run(omega, resistance, capacitance, inductance):
    i = 1j
    return numexpr.evaluate(
        "i * omega * inductance / (i * omega * inductance + resistance / (1.0 + i * omega * capacitance * resistance))"
    )
