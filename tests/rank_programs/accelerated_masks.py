"""What masks select in accelerated functions, of arrays that are split: nothing whole is sent."""

# mypy: ignore-errors
# ruff: noqa
from __future__ import annotations

import numpy as np

import lazyarr
from lazyarr import world

accelerate = lazyarr.accelerate(always=True)


def total(x, y):
    return x[x > 0.5].sum() + y[x > 0.7].max() + np.count_nonzero(y > 0.5)


def in_place(x, y):
    m = (x > 0.3) & (y < 0.6)
    x[m] = np.exp(x[m]) / y[m]
    x[~m] += 1
    return x


def chosen(x, y):
    return x[y > 0.5]


def rows(x, y):
    return x[y[:, 0] > 0.5] * 2


def gaps(x, y):
    s = np.sort(x[y > 0.4])
    return s[1:] - s[:-1]


def positions(x, y):
    return np.nonzero(x > y)


def by_positions(x, y):
    i = np.flatnonzero(x.ravel() > 0.8)
    x = x.ravel()
    x[i] *= 2
    return x


def sweeps(x, y):
    for k in range(3):
        m = x > 0.5
        x[m] -= 0.1 * x[m].mean()
    return x


def values(x, y):
    x[x > 0.9] = y[y > 0.9].max()
    k = x > 0.5
    x[k] = x[k][::-1]
    return x


def nothing(x, y):
    return x[x > 2], x[x > 2].sum()


def wrong(x, y):
    x[x > 0.5] = np.zeros(3)
    return x


together = world.current()
for function in (total, in_place, chosen, rows, gaps, positions, by_positions, sweeps, values, nothing, wrong):
    compiled = accelerate(function)
    for again in range(2):
        rng = np.random.default_rng(again)
        x, y = rng.random((90, 70)), rng.random((90, 70))
        if together is not None:
            x.local, y.local
            counts = together.communicator.counts
            before = counts["exchange bytes"] + counts["all_to_all bytes"]
        try:
            found = compiled(x, y)
        except ValueError as error:
            print(function.__name__, error)
            continue
        for a in (*(found if isinstance(found, tuple) else (found,)), x):
            if together is not None and np.size(a) > 2000:
                assert a.local.array.size < a.size, (function.__name__, a.shape)
        if together is not None:
            # (A sort sends all elements at most; what goes to the owners of other indices are parts.)
            sent = counts["exchange bytes"] + counts["all_to_all bytes"] - before
            moves = function in (gaps, by_positions, values) or len(together.grid) > 1
            assert sent < (60_000 if moves else 4000), (function.__name__, sent)
        for a in (*(found if isinstance(found, tuple) else (found,)), x, y):
            weights = np.arange(a.size).reshape(a.shape)
            print(function.__name__, np.shape(a), a.dtype, f"{float(np.sum(a)):.9g} {float((a * weights).sum()):.9g}")
