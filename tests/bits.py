"""Comparing to the last bit, and arguments that are hard on arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lazyarr.ir.graph import Graph
from lazyarr.ir.types import ArrayType


def special_values(dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Zeros of both signs, infinities, NaN, denormals, extremes, and a few ordinary numbers."""
    if dtype.kind == "b":
        return np.array([False, True])
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        near = [0, 1, 2, 3, 7, info.max, info.max - 1, info.min, info.min + 1]
        return np.array(near + ([-1, -2] if dtype.kind == "i" else []), dtype)
    if dtype.kind == "c":
        parts = special_values(np.dtype(f"f{dtype.itemsize // 2}"))[::2]
        grid = np.empty((len(parts), len(parts)), dtype)
        grid.real, grid.imag = parts[:, None], parts[None, :]
        return grid.reshape(-1)
    limits = np.finfo(dtype)
    least = float(limits.smallest_subnormal)
    some = [0.0, 1.0, 2.0, 0.5, 3.0, 0.1, 7.25, np.inf, np.nan, float(limits.max), float(limits.tiny)]
    some += [least, 3 * least, 1 + float(limits.eps)]
    return np.array(some + [-v for v in some], dtype)


def argument(rng: np.random.Generator, type: ArrayType) -> Any:
    """A value of `type`: half ordinary numbers, half special ones; a Python number for a weak type."""
    if type.weak:
        return type.python(rng.integers(-3, 4))
    shape = type.shape
    special = rng.choice(special_values(type.dtype), shape)
    plain = rng.uniform(-9, 9, shape)
    if type.dtype.kind == "c":
        plain = plain + 1j * rng.uniform(-9, 9, shape)
    if type.dtype.kind in "biu":
        plain = np.abs(np.rint(plain)) % 3
    # 0-d arrays: `choice` and `where` give scalars for an empty shape.
    return np.asarray(np.where(rng.random(shape) < 0.5, special, plain.astype(type.dtype)), type.dtype)


def arguments(graph: Graph, seed: int) -> list[Any]:
    """One argument for each parameter of `graph`."""
    rng = np.random.default_rng(seed)
    return [argument(rng, p.type) for p in graph.params]


def same_bits(x: Any, y: Any) -> bool:
    """Whether two arrays have the same dtype, shape and bits, where any NaN is as good as another."""
    x, y = np.asarray(x), np.asarray(y)
    if x.dtype != y.dtype or x.shape != y.shape:
        return False
    if x.dtype.kind == "c":
        return same_bits(x.real, y.real) and same_bits(x.imag, y.imag)
    if x.dtype.kind == "f":
        if not np.array_equal(np.isnan(x), np.isnan(y)):
            return False
        x, y = np.where(np.isnan(x), 0, x).astype(x.dtype), np.where(np.isnan(y), 0, y).astype(y.dtype)
    return bool(x.tobytes() == y.tobytes())


def assert_same_bits(found: Sequence[Any], expected: Sequence[Any]) -> None:
    """Assert `same_bits` of each pair."""
    assert len(found) == len(expected)
    for x, y in zip(found, expected, strict=True):
        assert same_bits(x, y), f"\n{x!r}\nis not\n{y!r}"
