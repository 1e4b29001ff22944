"""The exponential of complex numbers in native code."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from lazyarr.backends.native import compile
from lazyarr.ir.graph import Graph, param
from lazyarr.ir.node import apply
from lazyarr.ir.op import lookup
from lazyarr.ir.types import ArrayType


@pytest.mark.parametrize("dtype", ["c16", "c8"])
def test_it_is_within_a_few_units_in_the_last_place(dtype: str) -> None:
    rng = np.random.default_rng(0)
    kind = np.dtype(dtype)
    real = np.dtype(f"f{kind.itemsize // 2}")
    limits = np.finfo(real)
    most = float(np.log(limits.max))
    ends = [0.0, 1.0, 0.5, most, most + 0.3, most + 1, most * 2.5, -most * 1.01, 1e-30, 3.14159, 1e5, np.inf, np.nan]
    special = [complex(s * a, r * b) for a, b, s, r in product(ends, ends, (1, -1), (1, -1))]
    plain = rng.uniform(-1, 1, 2000) * rng.choice([1, 20, most], 2000) + 1j * rng.uniform(-9, 9, 2000)
    x = np.concatenate([np.array(special), plain, 1j * np.pi * np.arange(-64, 64) / 64]).astype(kind)
    v = param(0, ArrayType(kind, x.shape))
    program = compile(Graph([v], [apply(lookup("exp"), v)]))
    assert "call i32 %host" not in program.text
    with np.errstate(all="ignore"):
        (found,), expected = program([x]), np.exp(x)
    assert found.dtype == expected.dtype
    for one, other, which in ((found.real, expected.real, "real"), (found.imag, expected.imag, "imag")):
        np.testing.assert_array_equal(np.isnan(one), np.isnan(other), err_msg=which)
        ordinary = np.isfinite(other) & np.isfinite(one)
        near = np.isfinite(x.real) & np.isfinite(x.imag)
        np.testing.assert_array_equal(np.signbit(one)[ordinary & near], np.signbit(other)[ordinary & near])
        np.testing.assert_array_max_ulp(one[ordinary], other[ordinary], 4)
        np.testing.assert_array_equal(one[~ordinary & ~np.isnan(other)], other[~ordinary & ~np.isnan(other)])
