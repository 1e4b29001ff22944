"""Softmax of rows of 100, in single precision."""

from __future__ import annotations

import numpy as np

KIND, MOST = "float32 and complex", 10**7


def make(n):
    return (np.random.default_rng(22).normal(0.0, 3.0, (max(n // 100, 1), 100)).astype(np.float32),)


def run(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
