"""Large arrays that loops read and write a little at a time: rows and columns, views that live on, other layouts."""

from __future__ import annotations

from typing import Any

import numpy as np

import lazyarr

N, STEPS = 60, 120


def columns(order: Any) -> Any:
    a = np.zeros((N, STEPS + 1), order=order)
    a[:, 0] = np.arange(N) / N
    for k in range(STEPS):
        a[:, k + 1] = a[:, k] * 0.9 + 0.1 * np.sin(a[:, k])
    return a


def rows() -> Any:
    a = np.ones((STEPS + 1, N)) * 2
    before = a[0]
    for k in range(STEPS):
        now = before * 0.9
        now += 0.5
        a[k + 1] = now
        before = a[k + 1]
        before[0] = k
    return a


def read_alone(z: Any) -> float:
    total = 0.0
    for k in range(STEPS):
        total += float(z[k].max()) + float(z[k, 3])
    return total


def in_depth() -> Any:
    x, out = np.arange(N) / N, np.empty((STEPS, 2, N))
    for k in range(STEPS):
        x = x + 0.01
        out[k, 0] = x
        out[k, 1] = -x
    return out


def integers() -> Any:
    found = np.zeros((STEPS, N), dtype=np.int32)
    row = found[0]
    for k in range(1, STEPS):
        found[k] = found[k - 1] + k
        found[k, 5] += 7
    row[:] = -1
    return found


def gathered(x: Any) -> bool:
    """Whether every rank has all of an array."""
    return x.local.array.shape == x.shape if hasattr(x, "local") else True


def show(name: str, x: Any, given: bool = True) -> None:
    print(name, gathered(x) or not given, x.shape, x.dtype, x.strides)
    # (All of it at once: it is split again.)
    y = abs(x) * 2
    print(*(f"{float(v):.9g}" for v in (y.sum(), y[-1].sum(), x[:, -1].sum() + 1, y.max())))
    x[1, 1] = 5
    print(f"{float(abs(x).ravel()[::7].sum()):.9g} {float(y[1].sum()):.9g}")


for order in ("C", "F"):
    show(order, columns(order))
show("rows", rows())
show("in depth", in_depth())
show("integers", integers(), given=False)  # a view of it lives on
z = np.random.default_rng(1).normal(size=(STEPS, N)) + np.ones((STEPS, N))
print(f"{read_alone(z):.9f}", gathered(z), f"{float((z * z).sum()):.9f}")
history, x = [], np.arange(float(N))
for _ in range(STEPS):
    x = x * 0.99 + 1
    history.append(x)
print(np.stack(history).shape, f"{float(np.array(history).mean()):.9f}", len(history))
lazyarr.configure(eager_below=40)
show("larger parts", columns("C")[:50], given=False)
