from __future__ import annotations

import numexpr


def run(r2, epsilon, sigma):
    energy = numexpr.evaluate(
        "where(r2 < 9.0 * sigma * sigma, 4.0 * epsilon * ((sigma * sigma / r2)**6 - (sigma * sigma / r2)**3), 0.0)"
    )
    force = numexpr.evaluate(
        "where(r2 < 9.0 * sigma * sigma, "
        "24.0 * epsilon * (2.0 * (sigma * sigma / r2)**6 - (sigma * sigma / r2)**3) / r2, 0.0)"
    )
    return energy, force
