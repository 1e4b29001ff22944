"""Moduli compared with numbers: NumPy's answers, also where rounding decides them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr.backends import native_modulus
from lazyarr.backends.native import compile
from lazyarr.ir.graph import Graph, param
from lazyarr.ir.node import apply
from lazyarr.ir.op import lookup
from lazyarr.ir.types import ArrayType
from lazyarr.ops.create import const

Array = np.ndarray[Any, Any]

COMPARE = {"less": np.less, "less_equal": np.less_equal, "greater": np.greater, "greater_equal": np.greater_equal}


def near(limit: float, dtype: np.dtype[Any]) -> Array:
    """Complex numbers of which the modulus is a few units in the last place from `limit`, and some that are not."""
    rng = np.random.default_rng(int(limit * 8) % 1000)
    angle = rng.uniform(0, 2 * np.pi, 1500)
    z = (limit * np.exp(1j * angle)).astype(dtype)
    z = z * (1 + rng.integers(-6, 7, z.size) * np.finfo(dtype).eps).astype(z.real.dtype)
    far = (limit * rng.uniform(0, 3, 700) * np.exp(1j * angle[:700])).astype(dtype)
    special = [0, limit, -limit, 1j * limit, np.inf, -np.inf * 1j, np.nan, complex(np.inf, np.nan), 1e300, 1e-300]
    return np.concatenate([far, z, np.array(special).astype(dtype), far[:300]])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", ["c16", "c8"])
@pytest.mark.parametrize("limit", [2.0, 0.3, 1e-3, 12345.678, 1e20, 1e-20, 1e150, 1e-320, 0.0, -1.0, np.inf, np.nan])
def test_comparisons_are_those_of_numpy_to_the_last_place(dtype: str, limit: float) -> None:
    kind = np.dtype(dtype)
    real = np.dtype(f"f{kind.itemsize // 2}")
    z = near(limit if np.isfinite(limit) else 1.0, kind)
    x = param(0, ArrayType(kind, z.shape))
    modulus = apply(lookup("absolute"), x)
    bound = const(real.type(limit), real)
    graph = Graph([x], [apply(lookup(n), *pair) for n in COMPARE for pair in ((modulus, bound), (bound, modulus))])
    found = iter(compile(graph)([z]))
    for name, compare in COMPARE.items():
        np.testing.assert_array_equal(next(found), compare(np.abs(z), real.type(limit)), err_msg=name)
        np.testing.assert_array_equal(next(found), compare(real.type(limit), np.abs(z)), err_msg=name)


def test_a_square_decides_where_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    original = native_modulus.compared

    def counting(*given: Any) -> Any:
        made.append(original(*given) is not None)
        return original(*given)

    monkeypatch.setattr(native_modulus, "compared", counting)

    def escaped(z: Array, limit: float) -> Any:
        return np.abs(z) > limit, np.where(np.abs(z * z) < 1.5, z, 0) + np.abs(z)

    z = near(2.0, np.dtype("c16")).reshape(2, -1)
    with np.errstate(all="ignore"):
        for expected, found in zip(escaped(z, 2.0), lazyarr.accelerate(escaped)(z, 2.0), strict=True):
            np.testing.assert_array_equal(found, expected)

        def loop(z: Array, limit: float) -> Array:
            count = np.zeros(z.shape, int)
            for n in range(20):
                inside = np.abs(z) <= limit
                count[inside] = n
                z[inside] = z[inside] * 1.25
            return count

        plain, own = z.copy(), z.copy()
        np.testing.assert_array_equal(lazyarr.accelerate(loop)(own, 2.5), loop(plain, 2.5))
        np.testing.assert_array_equal(own, plain)
    assert any(made)


def test_comparisons_that_are_read_elsewhere_are_tested_where_they_are_read() -> None:
    def turned(z: Array, w: Array) -> Any:
        far = np.abs(z) > 2.0
        return far[::-1] & (np.abs(w) > 2.0), far[::-1] ^ far, np.where(far[1:], 1.5, (np.abs(w) < 9.0)[:-1])

    def looked_up(z: Array, w: Array) -> Any:
        table = np.array([0.0, 2.5])
        return (table[(np.abs(z) > 2.0).astype(np.int64)] > 1.0) & (np.abs(w) > 2.0), np.roll(np.abs(z) < 2.0, 3)

    def backwards(z: Array, w: Array) -> Any:
        return [(np.abs(z) > 2.0)[::-1] & (np.abs(w) > 2.0)]

    z = near(2.0, np.dtype("c16"))
    sure = np.full(z.shape, 5.0 + 0j)
    with np.errstate(all="ignore"):
        for function in (backwards, turned, looked_up):
            for given in ((z, sure), (sure, z), (z, z[::-1].copy())):
                accelerated = lazyarr.accelerate(function)
                for expected, found in zip(function(*given), accelerated(*given), strict=True):
                    np.testing.assert_array_equal(found, expected)


def test_masks_of_masks_are_written_while_they_are_tested() -> None:
    def masks(z: Array, w: Array, old: Array) -> Any:
        ring = (np.abs(z) > 2.0) & ~(np.abs(w) >= 3.0) | old
        old &= np.abs(z) <= 2.0
        return ring, old, (np.abs(z) < 2.0) == (np.abs(w) < 2.0)

    z = near(2.0, np.dtype("c16"))
    w = near(3.0, np.dtype("c16"))
    old = np.arange(z.size) % 3 == 0
    with np.errstate(all="ignore"):
        for one, other in ((z, w), (np.full(z.shape, 1 + 1j), w), (np.full(z.shape, 9j), z)):
            plain, own = old.copy(), old.copy()
            results = lazyarr.accelerate(masks)(one, other, own)
            for expected, found in zip(masks(one, other, plain), results, strict=True):
                np.testing.assert_array_equal(found, expected)
            np.testing.assert_array_equal(own, plain)
