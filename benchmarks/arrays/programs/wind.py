"""Speed, direction and chill of wind from its two components and the temperature."""

from __future__ import annotations

import numpy as np

KIND, MOST = "transcendental-heavy", 10**7


def make(n):
    rng = np.random.default_rng(7)
    return rng.normal(0.0, 8.0, n), rng.normal(2.0, 8.0, n), rng.uniform(-30.0, 10.0, n)


def run(u, v, celsius):
    speed = np.hypot(u, v)
    direction = np.degrees(np.arctan2(-u, -v)) % 360.0
    power = (3.6 * speed) ** 0.16
    chill = 13.12 + 0.6215 * celsius - 11.37 * power + 0.3965 * celsius * power
    return speed, direction, np.where(speed > 1.34, chill, celsius)
