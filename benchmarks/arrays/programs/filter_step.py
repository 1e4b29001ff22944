"""Predict and update of a Kalman filter with four states and two measurements."""

from __future__ import annotations

import numpy as np

KIND, LEAST, MOST = "small arrays", 8, 8


def make(n):
    move = np.eye(4) + 0.1 * np.eye(4, k=2)
    return np.arange(4.0), 2.0 * np.eye(4), move, 0.01 * np.eye(4), np.eye(2, 4), 0.5 * np.eye(2), np.array([0.3, 1.2])


def run(x, p, f, q, h, r, z):
    x = f @ x
    p = f @ p @ f.T + q
    gain = p @ h.T @ np.linalg.inv(h @ p @ h.T + r)
    x = x + gain @ (z - h @ x)
    return x, (np.eye(4) - gain @ h) @ p
