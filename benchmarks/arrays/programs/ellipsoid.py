"""From longitude, latitude and height of a few places to coordinates in space and the distance from the first."""

from __future__ import annotations

import numpy as np

KIND, LEAST, MOST = "small arrays", 8, 10**3


def make(n):
    rng = np.random.default_rng(37)
    return rng.uniform(-3.1, 3.1, n), rng.uniform(-1.5, 1.5, n), rng.uniform(0.0, 3e3, n)


def run(longitude, latitude, height):
    sine = np.sin(latitude)
    normal = 6378137.0 / np.sqrt(1.0 - 6.69437999014e-3 * sine * sine)
    flat = (normal + height) * np.cos(latitude)
    places = np.stack([flat * np.cos(longitude), flat * np.sin(longitude), (0.99330562 * normal + height) * sine])
    return places, np.sqrt(((places - places[:, :1]) ** 2).sum(axis=0))
