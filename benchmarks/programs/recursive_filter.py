"""Deriche's recursive smoothing of an image: causal and anticausal passes along the rows, then along the columns.

(Deriche, Recursively implementing the Gaussian and its derivatives, 1993; alpha sets the width.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (8, 9), "bench": (800, 700)}


def make(size):
    return np.random.default_rng(64).random(size), 0.25


def run(image, alpha):
    decay = np.exp(-alpha)
    k = (1.0 - decay) ** 2 / (1.0 + 2.0 * alpha * decay - decay**2)
    a0, a1 = k, k * decay * (alpha - 1.0)
    a2, a3 = k * decay * (alpha + 1.0), -k * decay**2
    b1, b2 = 2.0 * decay, -(decay**2)
    rows, columns = image.shape
    forward = np.zeros_like(image)
    backward = np.zeros_like(image)

    forward[:, 0] = a0 * image[:, 0]
    forward[:, 1] = a0 * image[:, 1] + a1 * image[:, 0] + b1 * forward[:, 0]
    for j in range(2, columns):
        forward[:, j] = a0 * image[:, j] + a1 * image[:, j - 1] + b1 * forward[:, j - 1] + b2 * forward[:, j - 2]
    backward[:, -1] = 0.0
    backward[:, -2] = a2 * image[:, -1]
    for j in range(columns - 3, -1, -1):
        backward[:, j] = a2 * image[:, j + 1] + a3 * image[:, j + 2] + b1 * backward[:, j + 1] + b2 * backward[:, j + 2]
    smooth = forward + backward

    forward[0] = a0 * smooth[0]
    forward[1] = a0 * smooth[1] + a1 * smooth[0] + b1 * forward[0]
    for i in range(2, rows):
        forward[i] = a0 * smooth[i] + a1 * smooth[i - 1] + b1 * forward[i - 1] + b2 * forward[i - 2]
    backward[-1] = 0.0
    backward[-2] = a2 * smooth[-1]
    for i in range(rows - 3, -1, -1):
        backward[i] = a2 * smooth[i + 1] + a3 * smooth[i + 2] + b1 * backward[i + 1] + b2 * backward[i + 2]
    return forward + backward
