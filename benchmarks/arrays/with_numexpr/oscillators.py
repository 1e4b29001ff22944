from __future__ import annotations

import numexpr


def run(x, v, dt):
    numexpr.evaluate("v - 0.5 * dt * (x + 0.1 * x * x * x)", out=v)
    numexpr.evaluate("x + dt * v", out=x)
    numexpr.evaluate("v - 0.5 * dt * (x + 0.1 * x * x * x)", out=v)
