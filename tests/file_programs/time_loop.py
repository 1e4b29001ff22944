"""Loops that are killed in the middle (after iteration STOP of the first, STOP - 100 of the second), and go on."""

from __future__ import annotations

import os
import signal
from typing import Any

import numpy as np

import lazyarr

rng = np.random.default_rng(4)
u: Any = rng.random((60, 40))
v: Any = u * 0.5
weight: Any = rng.random((60, 40))
t = 0.0
history: list[int] = []


class Model:
    """Has an array, and is changed in place."""

    def __init__(self) -> None:
        self.total: Any = np.zeros((60, 40))
        self.steps = 0

    def step(self, x: Any) -> None:
        self.total += x
        self.steps += 1


model = Model()
best: Any = None
alias = u


def end(step: int) -> None:
    if step == int(os.environ.get("STOP", "-1")):
        os.kill(os.getpid(), signal.SIGKILL)


def wave(x: Any, y: Any, n: int) -> Any:
    total = 0.0
    row: Any = None
    for k in lazyarr.checkpoint("wave.ckpt", range(n), every=3):
        z = 2 * y - x
        z[1:-1] += 0.1 * (y[2:] - 2 * y[1:-1] + y[:-2]) + 1e-3 * rng.standard_normal((58, 40)) * weight[1:-1]
        x, y = y, z
        row = z[5]
        total += k * 0.1
        history.append(k)
        model.step(z)
        end(k)
    return x, y, total, row


x, y, total, row = wave(u, v, 11)
for step in lazyarr.checkpoint("heat.ckpt", range(6), every=2):
    u[1:-1] += 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2])
    t += 0.5 * np.random.random()
    if best is None or step % 4 == 0:
        best = u[3:]
    end(step + 100)
u[5] += 1
print(np.asarray(x).tobytes().hex()[:3000:97], float(y[3, 4]).hex(), total, float(row[7]).hex(), history)
print(model.steps, float(model.total[4, 4]).hex(), float(best[2, 3]).hex(), float(u[5, 3]).hex())
print(alias[5, 3] == u[5, 3], rng.random().hex(), 0 < t < 3)
