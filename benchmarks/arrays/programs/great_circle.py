"""Distances on the sphere between pairs of places, by haversines."""

from __future__ import annotations

import numpy as np

KIND, MOST = "transcendental-heavy", 10**7


def make(n):
    rng = np.random.default_rng(6)
    return rng.uniform(-90, 90, n), rng.uniform(-180, 180, n), rng.uniform(-90, 90, n), rng.uniform(-180, 180, n)


def run(lat1, lon1, lat2, lon2):
    lat1, lon1, lat2, lon2 = np.radians(lat1), np.radians(lon1), np.radians(lat2), np.radians(lon2)
    a = np.sin(0.5 * (lat2 - lat1)) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin(0.5 * (lon2 - lon1)) ** 2
    return 6371.0 * 2.0 * np.arcsin(np.sqrt(np.minimum(a, 1.0)))
