"""What masks select, and where they hold, of arrays that are split: compared on 1 to 4 ranks."""

# mypy: ignore-errors
# ruff: noqa
from __future__ import annotations

import numpy as np
rng = np.random.default_rng(3)
def show(name, *xs):
    for x in xs:
        a = x + 0
        w = np.arange(a.size).reshape(a.shape)
        print(name, x.shape, x.dtype, x.strides, f"{float(a.sum()):.8g} {float((a * w).sum()):.8g}")
x = rng.random((61, 50))
m = x > 0.6
v = rng.random(4003)
show("vector", v[v > 0.3], v[v > 0.999], v[v > 2], v[1:][v[:-1] < 0.5], v[::-1][v > 0.5])
show("matrix", x[m], x[x > 0.98], x.T[m.T], x[~m])
show("rows", x[x.sum(axis=1) > 25], x[x[:, 0] > 0.5], x[x[:, 0] > 0.5, 3], x[:, x[0] > 0.5], x[x[:, 3] > 0.2, :])
t = rng.random((20, 30, 7))
show("three", t[t > 0.5], t[t[:, :, 0] > 0.5], t[t.sum(axis=(1, 2)) > 105])
show("nonzero", *np.nonzero(m), *np.nonzero(v > 0.5), *np.where(t > 0.7), np.argwhere(m), np.flatnonzero(m), np.argwhere(v > 0.99)[:, 0])
i = np.nonzero(v > 0.4)[0]
show("by index", v[i], x.ravel()[np.flatnonzero(m)], x[np.nonzero(m)])
show("compress", np.compress(v > 0.5, v), np.compress(x[:, 1] > 0.3, x, axis=0), np.extract(m, x), np.compress(x[0] > 0.5, x, axis=1))
r = np.round(v * 50)
show("unique", np.unique(r), *np.unique(r, return_index=True, return_inverse=True, return_counts=True), np.unique(v))
print(np.count_nonzero(m), np.count_nonzero(m, axis=0)[:3])
y = x.copy(); y[m] = 0; show("scalar", y)
y = x.copy(); y[m] = y[m][::-1]; show("array", y)
y = x.copy(); y[y > 0.5] = np.arange(int((y > 0.5).sum())); show("arange", y)
y = x.copy(); k = x[:, 0] > 0.5; y[k] = y[k] * 2; show("rows set", y)
y = x.copy(); y[m] += 1; y[~m] *= y[~m]; show("in place", y)
y = x.copy(); y[k, 2:5] = -1.0; show("mixed", y)
y = v.copy(); y[v > 0.5] = v[v <= 0.5][:1]; show("one", y)
z = np.zeros(3000); z[5:7] = 1; show("few", z[z > 0], np.nonzero(z)[0]); z[z > 0] = [3.0, 4.0]; show("few set", z)
f = np.asfortranarray(t); show("fortran", f[f > 0.5], f[f[:, 0, 0] > 0.5])
for bad in ("v[m]", "v.__setitem__(v > 0.5, np.arange(3.0))", "x[v > 0.5]", "x.__setitem__(k, np.ones((2, 50)))", "y.__setitem__(v > 0.5, np.ones((5, 2)))"):
    try:
        eval(bad)
    except Exception as error:
        print(type(error).__name__, error)
c = (v * 100).astype(np.int16); show("kinds", c[v > 0.3], (v + 1j * v)[v > 0.3].real, (v > 0.5)[v > 0.3])
# Nothing of this is whole on every rank, or sent to all.
if hasattr(v, "local") and v.local.array.size < v.size:
    from lazyarr import world

    for a in (v[v > 0.3], x[m], np.nonzero(m)[1], np.unique(v), t[t > 0.5], np.argwhere(m), v[i]):
        assert a.local.array.size < a.size, a.shape
    counts = world.current().communicator.counts
    before = counts["exchange bytes"] + counts["all_to_all bytes"]
    big = np.arange(100_000.0)
    big[big % 3 == 0].local
    sent = counts["exchange bytes"] + counts["all_to_all bytes"] - before
    assert sent < 1000, sent  # they are spread evenly
