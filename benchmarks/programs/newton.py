"""Kepler's equation E - e sin E = M by Newton's method, point by point until the residual is below a tolerance.

(Curtis, Orbital Mechanics for Engineering Students, 3.4.) Gives the anomalies and the number of all steps.
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (6, 1e-12), "bench": (12_000, 1e-12)}


def make(size):
    n, tolerance = size
    return np.linspace(0.1, 6.2, n), 0.6, tolerance


def run(mean_anomaly, eccentricity, tolerance):
    out = np.empty_like(mean_anomaly)
    steps = 0
    for i in range(len(mean_anomaly)):
        m = mean_anomaly[i]
        e = m + eccentricity / 2 if m < np.pi else m - eccentricity / 2
        residual = e - eccentricity * np.sin(e) - m
        while abs(residual) > tolerance:
            e -= residual / (1.0 - eccentricity * np.cos(e))
            residual = e - eccentricity * np.sin(e) - m
            steps += 1
        out[i] = e
    return out, steps
