"""A step of the linear shallow-water equations on a periodic plane, forward-backward, by np.roll."""

from __future__ import annotations

import numpy as np

KIND, MOST, PASSES = "stencil", 10**7, 1


def make(n):
    side = max(round((n / 3) ** 0.5), 3)
    rng = np.random.default_rng(13)
    return rng.random((side, side)), rng.random((side, side)), rng.random((side, side)), 0.1, 9.81, 10.0, 1e-2


def run(h, u, v, dt, g, depth, f):
    h = h - dt * depth * (u - np.roll(u, 1, axis=1) + v - np.roll(v, 1, axis=0))
    mean_v = 0.25 * (v + np.roll(v, -1, axis=1) + np.roll(v, 1, axis=0) + np.roll(np.roll(v, -1, axis=1), 1, axis=0))
    u = u + dt * (f * mean_v - g * (np.roll(h, -1, axis=1) - h))
    mean_u = 0.25 * (u + np.roll(u, 1, axis=1) + np.roll(u, -1, axis=0) + np.roll(np.roll(u, 1, axis=1), -1, axis=0))
    return h, u, v - dt * (f * mean_u + g * (np.roll(h, -1, axis=0) - h))
