from __future__ import annotations

import numexpr

DEGREES = 57.29577951308232


def run(u, v, celsius):
    speed = numexpr.evaluate("sqrt(u * u + v * v)")
    angle = numexpr.evaluate("arctan2(-u, -v) * d", {"u": u, "v": v, "d": DEGREES})
    direction = numexpr.evaluate("where(angle < 0.0, angle + 360.0, angle)")
    power = numexpr.evaluate("(3.6 * speed)**0.16")
    chill = numexpr.evaluate(
        "where(speed > 1.34, 13.12 + 0.6215 * celsius - 11.37 * power + 0.3965 * celsius * power, celsius)"
    )
    return speed, direction, chill
