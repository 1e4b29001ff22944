"""Loops in Python whose slices move: along an axis that is split and then is not, or stays split; rows written in place."""

# mypy: ignore-errors
# ruff: noqa
from __future__ import annotations

import numpy as np


def show(*arrays):
    for x in arrays:
        print(np.shape(x), f"{float(np.sum(x)):.9g} {float(np.max(x)):.9g} {float(np.ravel(x)[-1]):.9g}", end="; ")
    print()


def history(x, tolerance):
    a = np.zeros((30, x.size))
    a[0] = x
    kept = a[0]
    for t in range(29):
        a[t + 1] = 0.5 * a[t] + 0.1 * np.sin(a[t])
        if np.abs(a[t + 1] - a[t]).max() < tolerance:
            break
    return a, kept, t


def recurrent(x, w, u):
    steps, n, d = x.shape
    states, gates = np.zeros((steps + 1, n, d)), np.zeros((steps, n, 2 * d))
    for t in range(steps):
        z = x[t] @ w + states[t] @ u
        gates[t, :, :d] = 1 / (1 + np.exp(-z))
        gates[t, :, d:] = np.tanh(z)
        states[t + 1] = gates[t, :, :d] * states[t] + (1 - gates[t, :, :d]) * gates[t, :, d:]
        if t % 5 == 4:
            print(f"{float(states[t + 1].max()):.9g}", end=" ")
    return states, gates


def batches(x, y, size):
    w = np.zeros(x.shape[1])
    for first in range(0, x.shape[0] - size + 1, size):
        batch = x[first : first + size]
        w -= 0.01 * batch.T @ (batch @ w - y[first : first + size]) / size
        print(f"{float(w[0]):.9g}", end=" ")
    return w


def stencils(u, steps):
    for t in range(steps):
        u[t + 1, 1:-1, 1:-1] = u[t, 1:-1, 1:-1] + 0.1 * (
            u[t, 2:, 1:-1] + u[t, :-2, 1:-1] + u[t, 1:-1, 2:] + u[t, 1:-1, :-2] - 4 * u[t, 1:-1, 1:-1]
        )
        assert float(u[t + 1].max()) <= 1.0
    return u


def columns(a):
    for k in range(a.shape[1] - 2):
        a[:, k + 2] += 0.25 * a[:, k] - 0.5 * a[:, k + 1]
        if not np.isfinite(a[:, k + 2]).all():
            raise ValueError(k)
    return a


def moving_rows(a, b):
    for k in range(14):
        a[k : k + 40] = b[k + 1 : k + 41] * 0.5 + a[k + 2 : k + 42]
        b[3 * k : 3 * k + 9 : 2, k] = a[k + 4 : k + 9, k]
        print(f"{float(a[k].sum()):.9g}", end=" ")
    return a, b


for n in (300, 1501, 4000):
    x = np.linspace(0, 3, n)
    show(*history(x, 1e-9))
    show(*history(x, 0.1))
rng = np.random.default_rng(0)
for n in (40, 301, 1000):
    show(*recurrent(rng.random((20, n, 8)), rng.random((8, 8)), rng.random((8, 8))))
show(*recurrent(rng.random((20, 301, 8)), rng.random((8, 8)), rng.random((8, 8))))
for n in (999, 2000):
    show(batches(rng.random((n, 6)), rng.random(n), 60))
    field = np.zeros((16, n // 20, 41))
    field[0] = rng.random(field[0].shape)
    show(stencils(field, 15))
for shape in ((1201, 17), (17, 1201), (60, 60)):
    show(columns(rng.random(shape)))
show(*moving_rows(rng.random((60, 301)), rng.random((60, 301))))
