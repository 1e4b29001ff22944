from __future__ import annotations

import numexpr


def run(a, b, c, s):
    return numexpr.evaluate("a + s * (b - c)")
