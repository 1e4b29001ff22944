"""Extrema and their places, against NumPy: NaN, zeros of unlike sign, infinities, ties, several blocks."""

from __future__ import annotations

import numpy as np
import pytest

import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr.backends.native import compile
from lazyarr.ir.graph import Graph, param
from lazyarr.ir.node import apply
from lazyarr.ir.op import lookup
from lazyarr.ir.types import parse


@pytest.mark.parametrize("dtype", ["f64", "f32", "i64", "u8", "bool", "i8"])
@pytest.mark.parametrize(
    ("shape", "axis"), [((100,), 0), ((1000,), 0), ((7, 9), 0), ((7, 9), 1), ((1,), 0), ((3, 600), 1)]
)
def test_extrema(dtype: str, shape: tuple[int, ...], axis: int) -> None:
    x = param(0, parse(f"{dtype}[{','.join(map(str, shape))}]"))
    kinds = ("maximum", "minimum", "fmax", "fmin")
    results = [apply(lookup(name), x, axis=axis) for name in ("argmax", "argmin")]
    results += [apply(lookup("reduce"), x, kind=kind, axes=(axis,)) for kind in kinds]
    run = compile(Graph([x], results))
    for seed in range(20):
        rng = np.random.default_rng(seed)
        given = rng.integers(0, 4, shape).astype(x.type.dtype)
        if dtype[0] == "f":
            given[rng.random(shape) < 0.2] = -0.0
            for every, rate, value in ((2, 0.1 / seed if seed else 0.1, np.nan), (3, 0.1, np.inf), (5, 0.3, -np.inf)):
                if seed % every == 0:
                    given[rng.random(shape) < rate] = value
        with np.errstate(all="ignore"):
            expected = [given.argmax(axis), given.argmin(axis), *(getattr(np, k).reduce(given, axis) for k in kinds)]
        for right, actual in zip(expected, run([given]), strict=True):
            assert np.array_equal(right, actual, equal_nan=dtype[0] == "f"), f"{right} is expected, not {actual}"
