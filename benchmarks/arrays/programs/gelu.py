"""The activation of transformers (by the hyperbolic tangent) with bias, in single precision."""

from __future__ import annotations

import numpy as np

KIND, MOST = "float32 and complex", 10**7


def make(n):
    rng = np.random.default_rng(24)
    return rng.normal(0.0, 2.0, (max(n // 100, 1), 100)).astype(np.float32), rng.random(100, np.float32)


def run(x, bias):
    x = x + bias
    return 0.5 * x * (1 + np.tanh(np.float32(0.7978846) * (x + np.float32(0.044715) * x * x * x)))
