from __future__ import annotations

import numexpr


def run(x, sigma, mean):
    total = numexpr.evaluate("sum(-0.5 * ((x - mean) / sigma)**2 - log(sigma))")
    return total[()] - 0.9189385332046727 * x.size
