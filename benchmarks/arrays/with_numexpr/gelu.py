from __future__ import annotations

import numexpr
import numpy as np

HALF, ONE, SCALE, CUBIC = np.float32(0.5), np.float32(1), np.float32(0.7978846), np.float32(0.044715)


def run(x, bias):
    half, one, scale, cubic = HALF, ONE, SCALE, CUBIC
    y = numexpr.evaluate("x + bias")
    return numexpr.evaluate("half * y * (one + tanh(scale * (y + cubic * y * y * y)))")
