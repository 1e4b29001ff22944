from __future__ import annotations

import numexpr


def run(a, b, c):
    return numexpr.evaluate("(a + b) * c - a / (b + 1.0)")
