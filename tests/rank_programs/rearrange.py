"""Views and copies of arrays that are split, in other shapes."""

# mypy: ignore-errors
# ruff: noqa
from __future__ import annotations

import numpy as np

from lazyarr import world

before = world.current() and dict(world.current().communicator.counts)
x = np.arange(61 * 50.0).reshape(61, 50)
y = np.sqrt(x + 1)
v = y.ravel()
w = y[1:-1, 3:].reshape(-1)
t = y.T.ravel()
c = y.reshape(50, 61)
d = np.diagonal(y)
z = y.copy()
z.flat[100:200] = -1
z.reshape(-1)[::7] *= 2
z.ravel(order="F")[3:9]
f = z.reshape((50, 61), order="F")
e = np.arange(2400.0).reshape(2, 2, 600) * 2
r = (v[1:] - v[:-1]).reshape(-1, 1)
for name, a in dict(v=v, w=w, t=t, c=c, d=d, z=z, f=f, e=e, r=r, g=y.reshape(-1)[7], h=e.reshape(4, 600)).items():
    a = a + 1
    print(name, a.shape, f"{float(a.sum()):.8g}", f"{float(abs(a * np.arange(a.size).reshape(a.shape)).sum()):.8g}")
if before is not None:
    for a in (v, w, t, c, z, f, r):
        assert a.local.array.size < a.size, (a.shape, a.local.place)
    counts = world.current().communicator.counts
    assert counts["exchange bytes"] - before.get("exchange bytes", 0) < 6 * y.nbytes
