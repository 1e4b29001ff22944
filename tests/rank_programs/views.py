"""Views of arguments that accelerated functions return, of arrays that are split and of small ones."""

from __future__ import annotations

from typing import Any

import numpy as np

import lazyarr


@lazyarr.accelerate
def tail(a: Any) -> Any:
    a[0] = 1.0
    return a[10:]


@lazyarr.accelerate
def two(a: Any) -> Any:
    a[0] = 1.0
    return a[10:2000].reshape(199, 10).T[2:]


@lazyarr.accelerate
def wide(a: Any) -> Any:
    return np.broadcast_to(a[0], (4, 50)), a[::-1, 3:], a.T


for n in (3000, 30):
    x = np.arange(float(n))
    v = tail(x)
    x[10:20] = -1.0
    v[5] = 55.0
    print(v[0], x[15], v.shape, float(v.sum()), float(x.sum()))
x = np.arange(3000.0)
v = two(x)
x[12] = -7.0
v[3, 3] = 99
print(v[0, 0], v.shape, float(x.sum()), float(v.sum()))
y = np.arange(3000.0).reshape(60, 50)
a, b, c = wide(y)
y[0] = 5
b[2, 2] = -3
c[1, 1] = 8
print(float(a.sum()), float(b.sum()), float(c.sum()), float(y.sum()), a.shape, b.shape, c.strides)
