"""Edges of an image of bytes by Sobel's filters, as bytes."""

from __future__ import annotations

import numpy as np

KIND, MOST, PASSES = "stencil", 10**8, 1


def make(n):
    side = max(round(n**0.5), 3)
    return (np.random.default_rng(14).integers(0, 256, (side, side), dtype=np.uint8),)


def run(image):
    x = image.astype(np.float32)
    across = x[:-2, 2:] - x[:-2, :-2] + 2 * (x[1:-1, 2:] - x[1:-1, :-2]) + x[2:, 2:] - x[2:, :-2]
    down = x[2:, :-2] - x[:-2, :-2] + 2 * (x[2:, 1:-1] - x[:-2, 1:-1]) + x[2:, 2:] - x[:-2, 2:]
    return np.minimum(np.sqrt(across * across + down * down), np.float32(255)).astype(np.uint8)
