"""Histories of loops in time: rows or columns of one array, each of the one before, in compiled loops and in Python."""

from __future__ import annotations

from typing import Any

import numpy as np

import lazyarr


@lazyarr.accelerate
def rows(x: Any, steps: int) -> Any:
    a = np.zeros((steps + 1, x.size))
    a[0] = x
    for k in range(steps):
        a[k + 1] = a[k] + 0.01 * np.sin(a[k])
    return a


@lazyarr.accelerate
def columns(x: Any, steps: int) -> Any:
    a = np.empty((x.size, steps + 1))
    a[:, 0] = x
    for k in range(steps):
        a[:, k + 1] = a[:, k] * 0.99 + k
    return a, a.mean(axis=1), a.mean(axis=0)


@lazyarr.accelerate
def given(a: Any) -> Any:
    total = 0.0
    for k in range(a.shape[0] - 1):
        a[k + 1] += a[k] * 0.5
        total = max(total, a[k].max())
    return total


@lazyarr.accelerate
def backwards(prices: Any, strike: float, discount: float) -> Any:
    value = np.maximum(strike - prices[-1], 0.0)
    for k in range(prices.shape[0] - 2, -1, -1):
        exercise = np.maximum(strike - prices[k], 0.0)
        value = np.where(exercise > value * discount, exercise, value * discount)
    return value.mean(), value


@lazyarr.accelerate
def two(x: Any, steps: int) -> Any:
    out = np.zeros((steps, 2, x.size))
    v = np.zeros_like(x)
    for k in range(steps):
        v = v - 0.1 * x
        x = x + 0.1 * v
        out[k, 0] = x
        out[k, 1] = v
    return out


@lazyarr.accelerate
def elements(a: Any) -> Any:
    for i in range(1, a.shape[0]):
        for j in range(1, a.shape[1]):
            a[i, j] = 0.5 * (a[i - 1, j] + a[i, j - 1])
    return a


def in_python(x: Any, steps: int) -> Any:
    a = np.zeros((steps + 1, x.size))
    a[0] = x
    for k in range(steps):
        a[k + 1] = a[k] + 0.01 * np.sin(a[k])
    return a


def show(*arrays: Any) -> None:
    for x in arrays:
        print(np.shape(x), f"{float(np.sum(x)):.9g} {float(np.max(x)):.9g}", end="; ")
    print()


for n in (50, 1500, 1501):
    x = np.linspace(0, 3, n)
    for steps in (12, 13, 14):
        show(rows(x, steps), *columns(x, steps), two(x, steps), in_python(x, steps))
    a = np.outer(np.ones(13), x) + 1
    show(given(a), a, a[5])
    show(*backwards(a[:, ::-1] * 1.0, 3.0, 0.97), elements(a), a[-1])
points = np.arange(3000.0).reshape(1000, 3)
show(given(points), points)
