"""Reads and writes at indices into arrays that are split: NumPy's to the last bit, repeated indices in their order."""

# mypy: ignore-errors
from __future__ import annotations

import zlib

import numpy as np


def show(name, *xs):
    for x in xs:
        print(name, np.shape(x), np.asarray(x).dtype, f"{zlib.crc32(np.ascontiguousarray(x).tobytes()):08x}")


N = 6000
rng = np.random.default_rng(5)
x, i, v = rng.random(N), rng.integers(-N, N, 5000), rng.random(5000)
few, b = rng.integers(0, N, 20), rng.random((100, 80))
r, c = rng.integers(0, 100, 3000), rng.integers(-80, 80, 3000)


def changed(name, array, change):
    array = array.copy()
    change(array)
    show(name, array)


changed("set", x, lambda a: a.__setitem__(i, v))
changed("iadd", x, lambda a: a.__setitem__(i, a[i] + v))


def combined(ufunc):
    changed("at", x, lambda a: ufunc.at(a, i, v))
    changed("at", x, lambda a: ufunc.at(a, few, 0.3))
    changed("at", b, lambda a: ufunc.at(a, (r, c), v[:3000]))
    changed("at", b, lambda a: ufunc.at(a, r, 0.3))
    changed("at", np.ones(50, np.int64), lambda a: ufunc.at(a, i % 50, i % 3))


combined(np.add)
combined(np.subtract)
combined(np.multiply)
combined(np.maximum)
changed("put", x, lambda a: np.put(a, i, v))
changed("some", x, lambda a: a.__setitem__(few, 7.0))
changed("rows", b, lambda a: a.__setitem__(r[:2000], b[r[:2000]] + 1))
changed("columns", b, lambda a: a.__setitem__((slice(None), c[:50]), 3))
changed("points", b, lambda a: a.__setitem__((r, c), v[:3000]))
changed("turned", b.T, lambda a: a.__setitem__((c, r), v[:3000]))
changed("mask", x, lambda a: a.__setitem__(a > 0.5, 0))
changed("mask", x, lambda a: a.__setitem__(a > 0.5, a[a > 0.5] * 2))
changed("mask", x, lambda a: a.__setitem__(a > 0.5, np.arange(float((a > 0.5).sum()))))
changed("integers", (x * 100).astype(np.int16), lambda a: np.add.at(a, i, 3))
changed("truths", x > 0.5, lambda a: np.logical_or.at(a, i, v > 0.9))
show("read", x[i], x[few], b[r], b[r, c], b[:, c], np.take(b, r[:7], axis=0), x[i.reshape(50, 100)],
     b[r[:2, None], c[:4]])
show("where", *np.nonzero(x > 0.9), x[x > 0.9], b[b[:, 0] > 0.5], np.argwhere(b > 0.99))
wrong = i.copy()
wrong[4000:4500] = N + 3
wrong[4001] = -N - 7
for attempt in (lambda: x[np.where(x > 0.99, N, 0)], lambda: x[wrong], lambda: x[np.roll(wrong, -1001)],
                lambda: np.add.at(x, wrong + 0, 1), lambda: b[wrong.reshape(50, 100)]):
    try:
        attempt()
    except IndexError as error:
        print(type(error).__name__, error)
