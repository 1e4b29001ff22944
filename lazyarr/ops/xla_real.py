"""Real functions for XLA where its own formulas lose digits; float32 and float64.

``exp2`` as ``exp(x log 2)`` is wrong by 350 units in the last place at ``x = 900``, ``sinh`` and ``cosh`` by 250,
``log1p`` of float64 by 120 near -0.41.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lazyarr.ops.xla_core import Lowering, exact, scale_by_power_of_two

_LOG2_E = 1 / np.log(2.0)
#: Beyond this the smaller of exp(x), exp(-x) is below half a unit of the larger.
LARGE = 22.0


def exp2(jax: Any, x: Any) -> Any:
    # 2 ** x = 2 ** n * exp(f log 2), |f| <= 1/2: the small exponent keeps exp's argument exact enough.
    jnp = jax.numpy
    limit = np.finfo(x.dtype).maxexp + 60
    inside = jnp.clip(x, np.asarray(-limit, x.dtype), np.asarray(limit, x.dtype))
    whole = jnp.round(inside)
    fraction = jax.lax.exp((inside - whole) * np.asarray(np.log(2.0), x.dtype))
    return exact(jax, scale_by_power_of_two(jax, fraction, jnp.where(jnp.isnan(x), 0, whole).astype(np.int32), 2))


def log1p(jax: Any, x: Any) -> Any:
    """Logarithm of 1 + x: that of the rounded sum, and a correction for what rounding lost (Kahan)."""
    if x.dtype != np.float64:
        return jax.lax.log1p(x)
    one = jax.lax.full_like(x, 1)
    total = exact(jax, one + x)
    # The larger of the two addends is exact in the sum, so the smaller says what was lost.
    lost = jax.numpy.where(jax.lax.abs(x) < 1, x - exact(jax, total - one), one - exact(jax, total - x))
    usable = jax.numpy.isfinite(x) & (total > 0)
    correction = jax.numpy.where(usable, lost / jax.numpy.where(usable, total, one), 0)
    value = jax.lax.log(total) + correction
    return jax.numpy.where(jax.lax.abs(x) < np.finfo(np.float64).eps, x, value)


def log2(jax: Any, x: Any) -> Any:
    # Powers of two are exact in NumPy; log(x) / log(2) is not.
    mantissa, exponent = jax.numpy.frexp(x)
    special = ~jax.numpy.isfinite(x) | (x <= 0)
    low = mantissa < np.sqrt(0.5)
    mantissa = jax.numpy.where(low, mantissa * 2, mantissa)
    exponent = jax.numpy.where(low, exponent - 1, exponent)
    value = exponent.astype(x.dtype) + jax.lax.log(mantissa) * np.asarray(_LOG2_E, x.dtype)
    return jax.numpy.where(special, jax.lax.log(x), value)


def log10(jax: Any, x: Any) -> Any:
    return jax.lax.log(x) * np.asarray(1 / np.log(10.0), x.dtype)


def _half_exp_squared(jax: Any, size: Any) -> Any:
    """``exp(size) / 2`` where ``exp(size)`` itself may overflow."""
    root = exact(jax, jax.lax.exp(size * np.asarray(0.5, size.dtype)))
    return exact(jax, root * np.asarray(0.5, size.dtype)) * root


def sinh(jax: Any, x: Any) -> Any:
    size = jax.lax.abs(x)
    grown = jax.lax.expm1(size)
    half = np.asarray(0.5, x.dtype)
    small = half * (grown + grown / (grown + np.asarray(1, x.dtype)))
    return jax.numpy.copysign(jax.numpy.where(size < LARGE, small, _half_exp_squared(jax, size)), x)


def cosh(jax: Any, x: Any) -> Any:
    size = jax.lax.abs(x)
    grown = exact(jax, jax.lax.exp(size))
    half = np.asarray(0.5, x.dtype)
    return jax.numpy.where(size < LARGE, half * grown + half / grown, _half_exp_squared(jax, size))


def arctanh(jax: Any, x: Any) -> Any:
    size = jax.lax.abs(x)
    one = np.asarray(1, x.dtype)
    twice = size + size
    ratio = jax.numpy.where(size < 0.5, twice + twice * size / (one - size), twice / (one - size))
    return jax.numpy.copysign(np.asarray(0.5, x.dtype) * log1p(jax, ratio), x)


def _log_add(jax: Any, x: Any, y: Any, exp: Lowering, log1p: Lowering, one: float) -> Any:
    """The logarithm of a sum of exponentials, by the larger; `one` is the result for two zeros."""
    jnp = jax.numpy
    gap = x - y
    larger = jnp.where(gap > 0, x, y)
    value = larger + log1p(jax, exp(jax, -jax.lax.abs(gap)))
    # Equal infinities have no gap.
    return jnp.where(x == y, x + np.asarray(one, x.dtype), jnp.where(jnp.isnan(gap), gap, value))


def logaddexp(jax: Any, x: Any, y: Any) -> Any:
    return _log_add(jax, x, y, lambda jax, v: jax.lax.exp(v), log1p, np.log(2.0))


def logaddexp2(jax: Any, x: Any, y: Any) -> Any:
    def log2_1p(jax: Any, v: Any) -> Any:
        return log1p(jax, v) * np.asarray(_LOG2_E, v.dtype)

    return _log_add(jax, x, y, exp2, log2_1p, 1.0)
