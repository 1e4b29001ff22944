from __future__ import annotations

import numexpr

RADIANS = 0.017453292519943295


def run(lat1, lon1, lat2, lon2):
    r = RADIANS
    a = numexpr.evaluate(
        "sin(0.5 * (lat2 * r - lat1 * r))**2 + cos(lat1 * r) * cos(lat2 * r) * sin(0.5 * (lon2 * r - lon1 * r))**2"
    )
    return numexpr.evaluate("6371.0 * 2.0 * arcsin(sqrt(where(a < 1.0, a, 1.0)))")
