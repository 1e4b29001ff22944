"""Humidity of air: saturation (Magnus), dew point, wet-bulb temperature (Stull, J. Appl. Meteor. Climatol. 50)."""

from __future__ import annotations

import numpy as np

KIND, MOST = "transcendental-heavy", 10**7


def make(n):
    rng = np.random.default_rng(8)
    return rng.uniform(-15.0, 45.0, n), rng.uniform(6.0, 99.0, n)


def run(celsius, humidity):
    saturation = 6.112 * np.exp(17.62 * celsius / (243.12 + celsius))
    logarithm = np.log(0.01 * humidity * saturation / 6.112)
    dew_point = 243.12 * logarithm / (17.62 - logarithm)
    wet_bulb = (
        celsius * np.arctan(0.151977 * np.sqrt(humidity + 8.313659))
        + np.arctan(celsius + humidity)
        - np.arctan(humidity - 1.676331)
        + 0.00391838 * humidity**1.5 * np.arctan(0.023101 * humidity)
        - 4.686035
    )
    return saturation, dew_point, wet_bulb
