"""Modules of NumPy's that lazyarr has no form of are NumPy's, and take what lazyarr makes."""

# mypy: ignore-errors
# ruff: noqa: F403, F405, F811, I001
from __future__ import annotations

import numpy
import numpy.lib.stride_tricks
import numpy.linalg as la
import numpy.ma as ma
import numpy.polynomial.polynomial as P
import numpy.typing as npt
from numpy import *
from numpy import lib
from numpy.exceptions import AxisError
from numpy.fft import fft2
from numpy.lib.stride_tricks import sliding_window_view
from numpy.linalg import norm
from numpy.polynomial import Polynomial
from numpy.random import default_rng
from numpy.testing import assert_allclose, assert_array_equal

x: npt.NDArray[float64] = default_rng(0).integers(0, 1000, 6000) / 8.0
assert_allclose(x + 1, x + 1 + 1e-12)
assert_array_equal(x * 2, x + x)
print(
    sliding_window_view([1, 2, 3, 4], 3).sum(axis=-1),
    numpy.lib.stride_tricks.sliding_window_view is sliding_window_view,
)
print(P.polyval(x, [1, 2, 3])[:3], Polynomial([1, 2])(x)[:2])
print(ma.masked_less(x, 50).sum(), ma.masked_array(x, x > 50).mean(), ma.getdata(x).sum())
print(norm(x) == la.norm(x), sin(x)[:2], array([1, 2]).sum(), abs(fft2(x.reshape(60, 100))[0, 0]), lib is numpy.lib)
try:
    x.sum(axis=3)
except AxisError as error:
    print(error)
