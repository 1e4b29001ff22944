"""XLA lowerings of transcendental functions, to a few units in the last place of NumPy's.

Most functions of XLA are that good and are taken as they are. The formulas here replace those that lose digits:
``exp2`` as ``exp(x log 2)`` is wrong by 350 units at ``x = 900``, ``sinh`` and ``cosh`` by 250, ``log1p`` of float64
by 120 near -0.41.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lazyarr.ops import xla_complex
from lazyarr.ops.xla_core import Lowering, exact, in_float32, is_complex, scale_by_power_of_two, together

_LOG2_E = 1 / np.log(2.0)


def real_or_complex(real: Lowering, complex_: Lowering) -> Lowering:
    """One lowering of two; float16 is computed in float32 and rounded once, as NumPy does."""

    def lowered(jax: Any, *arrays: Any) -> Any:
        arrays = tuple(together(jax, *arrays))
        return complex_(jax, *arrays) if is_complex(arrays[0]) else in_float32(jax, real, *arrays)

    return lowered


def _lax(name: str) -> Callable[[Any, Any], Any]:
    """``jax.lax``'s function behind a barrier: XLA would merge ``exp(a) * exp(b)``, which overflows elsewhere."""
    return lambda jax, x: exact(jax, getattr(jax.lax, name)(x))


def _numpy(name: str) -> Callable[[Any, Any], Any]:
    return lambda jax, x: getattr(jax.numpy, name)(x)


def _exp2(jax: Any, x: Any) -> Any:
    # 2 ** x = 2 ** n * exp(f log 2), |f| <= 1/2: the small exponent keeps exp's argument exact enough.
    jnp = jax.numpy
    limit = np.finfo(x.dtype).maxexp + 60
    inside = jnp.clip(x, np.asarray(-limit, x.dtype), np.asarray(limit, x.dtype))
    whole = jnp.round(inside)
    fraction = jax.lax.exp((inside - whole) * np.asarray(np.log(2.0), x.dtype))
    return exact(jax, scale_by_power_of_two(jax, fraction, jnp.where(jnp.isnan(x), 0, whole).astype(np.int32)))


def _log1p(jax: Any, x: Any) -> Any:
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


def _log2(jax: Any, x: Any) -> Any:
    # Powers of two are exact in NumPy; log(x) / log(2) is not.
    mantissa, exponent = jax.numpy.frexp(x)
    special = ~jax.numpy.isfinite(x) | (x <= 0)
    low = mantissa < np.sqrt(0.5)
    mantissa = jax.numpy.where(low, mantissa * 2, mantissa)
    exponent = jax.numpy.where(low, exponent - 1, exponent)
    value = exponent.astype(x.dtype) + jax.lax.log(mantissa) * np.asarray(_LOG2_E, x.dtype)
    return jax.numpy.where(special, jax.lax.log(x), value)


def _log10(jax: Any, x: Any) -> Any:
    return jax.lax.log(x) * np.asarray(1 / np.log(10.0), x.dtype)


def _half_exp_squared(jax: Any, size: Any) -> Any:
    """``exp(size) / 2`` where ``exp(size)`` itself may overflow."""
    root = exact(jax, jax.lax.exp(size * np.asarray(0.5, size.dtype)))
    return exact(jax, root * np.asarray(0.5, size.dtype)) * root


def _sinh(jax: Any, x: Any) -> Any:
    size = jax.lax.abs(x)
    grown = jax.lax.expm1(size)
    half = np.asarray(0.5, x.dtype)
    small = half * (grown + grown / (grown + np.asarray(1, x.dtype)))
    return jax.numpy.copysign(jax.numpy.where(size < 22, small, _half_exp_squared(jax, size)), x)


def _cosh(jax: Any, x: Any) -> Any:
    size = jax.lax.abs(x)
    grown = exact(jax, jax.lax.exp(size))
    half = np.asarray(0.5, x.dtype)
    return jax.numpy.where(size < 22, half * grown + half / grown, _half_exp_squared(jax, size))


def _arctanh(jax: Any, x: Any) -> Any:
    size = jax.lax.abs(x)
    one = np.asarray(1, x.dtype)
    twice = size + size
    ratio = jax.numpy.where(size < 0.5, twice + twice * size / (one - size), twice / (one - size))
    return jax.numpy.copysign(np.asarray(0.5, x.dtype) * _log1p(jax, ratio), x)


def _log_add(jax: Any, x: Any, y: Any, exp: Lowering, log1p: Lowering, one: float) -> Any:
    """The logarithm of a sum of exponentials, by the larger; `one` is the result for two zeros."""
    jnp = jax.numpy
    gap = x - y
    larger = jnp.where(gap > 0, x, y)
    value = larger + log1p(jax, exp(jax, -jax.lax.abs(gap)))
    # Equal infinities have no gap.
    return jnp.where(x == y, x + np.asarray(one, x.dtype), jnp.where(jnp.isnan(gap), gap, value))


def _logaddexp(jax: Any, x: Any, y: Any) -> Any:
    return _log_add(jax, x, y, lambda jax, v: jax.lax.exp(v), _log1p, np.log(2.0))


def _logaddexp2(jax: Any, x: Any, y: Any) -> Any:
    def log2_1p(jax: Any, v: Any) -> Any:
        return _log1p(jax, v) * np.asarray(_LOG2_E, v.dtype)

    return _log_add(jax, x, y, _exp2, log2_1p, 1.0)


def _no_complex(jax: Any, *arrays: Any) -> Any:
    raise TypeError("NumPy has no complex loop of this function")


exp = real_or_complex(_lax("exp"), xla_complex.exp)
exp2 = real_or_complex(_exp2, xla_complex.exp2)
expm1 = real_or_complex(_lax("expm1"), xla_complex.expm1)
log = real_or_complex(_lax("log"), xla_complex.log)
log2 = real_or_complex(_log2, xla_complex.log2)
log10 = real_or_complex(_log10, xla_complex.log10)
log1p = real_or_complex(_log1p, xla_complex.log1p)
sqrt = real_or_complex(_lax("sqrt"), xla_complex.sqrt)
sin = real_or_complex(_lax("sin"), xla_complex.sin)
cos = real_or_complex(_lax("cos"), xla_complex.cos)
tan = real_or_complex(_lax("tan"), xla_complex.tan)
sinh = real_or_complex(_sinh, xla_complex.sinh)
cosh = real_or_complex(_cosh, xla_complex.cosh)
tanh = real_or_complex(_lax("tanh"), xla_complex.tanh)
arcsin = real_or_complex(_numpy("arcsin"), xla_complex.arcsin)
arccos = real_or_complex(_numpy("arccos"), xla_complex.arccos)
arctan = real_or_complex(_numpy("arctan"), xla_complex.arctan)
arcsinh = real_or_complex(_numpy("arcsinh"), xla_complex.arcsinh)
arccosh = real_or_complex(_numpy("arccosh"), xla_complex.arccosh)
arctanh = real_or_complex(_arctanh, xla_complex.arctanh)
logaddexp = real_or_complex(_logaddexp, _no_complex)
logaddexp2 = real_or_complex(_logaddexp2, _no_complex)
