"""Four steps of two substances that react and diffuse (Gray and Scott's model), in place."""

from __future__ import annotations

import numpy as np

KIND, MOST, PASSES, CHANGED = "stencil", 10**7, 4, (0, 1)


def make(n):
    side = max(round((n / 2) ** 0.5), 3)
    rng = np.random.default_rng(11)
    return 1.0 - 0.1 * rng.random((side, side)), 0.3 * rng.random((side, side)), 0.16, 0.08, 0.035, 0.06


def run(u, v, du, dv, feed, kill):
    for _ in range(4):
        a, b = u[1:-1, 1:-1], v[1:-1, 1:-1]
        spread_u = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4.0 * a
        spread_v = v[2:, 1:-1] + v[:-2, 1:-1] + v[1:-1, 2:] + v[1:-1, :-2] - 4.0 * b
        reaction = a * b * b
        a += du * spread_u - reaction + feed * (1.0 - a)
        b += dv * spread_v + reaction - (feed + kill) * b
