"""A layer of a convolutional network: each output pixel is the sum of a window times the filters, and a bias.

(Goodfellow, Bengio and Courville, Deep Learning, 9.1.) Images are (image, row, column, channel).
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (2, 7, 3, 2, 4), "bench": (8, 34, 5, 3, 16)}


def make(size):
    images, side, window, channels, filters = size
    rng = np.random.default_rng(61)
    return (
        rng.random((images, side, side, channels), dtype=np.float32),
        rng.random((window, window, channels, filters), dtype=np.float32),
        rng.random(filters, dtype=np.float32),
    )


def run(images, weights, bias):
    window = weights.shape[0]
    number, height, width = images.shape[0], images.shape[1] - window + 1, images.shape[2] - window + 1
    out = np.empty((number, height, width, weights.shape[3]), dtype=np.float32)
    for i in range(height):
        for j in range(width):
            patch = images[:, i : i + window, j : j + window, :, np.newaxis]
            out[:, i, j, :] = np.sum(patch * weights[np.newaxis], axis=(1, 2, 3))
    return np.maximum(out + bias, 0.0)
