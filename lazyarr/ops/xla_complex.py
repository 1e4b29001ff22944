"""XLA lowerings of complex functions: NumPy's formulas, and C99's rules for infinite and NaN parts.

NumPy computes division, reciprocal, powers, ``expm1`` and ``log1p`` by formulas of its own, which are followed
here; for the rest it calls the C library. XLA's functions are good for finite numbers; what is written here is
what C99 (Annex G) says of the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lazyarr.ops import xla_real
from lazyarr.ops.xla_core import exact, quotient


def _parts(z: Any) -> tuple[Any, Any]:
    return z.real, z.imag


def _join(jax: Any, re: Any, im: Any) -> Any:
    return jax.lax.complex(re, im)


def _constant(x: Any, value: float) -> Any:
    return np.asarray(value, x.dtype)


def absolute(jax: Any, z: Any) -> Any:
    infinite = jax.numpy.isinf(z.real) | jax.numpy.isinf(z.imag)
    return jax.numpy.where(infinite, _constant(z.real, np.inf), jax.lax.abs(z))


def divide(jax: Any, x: Any, y: Any) -> Any:
    """Smith's algorithm, as NumPy's loop has it: scaled by the larger part of the divisor."""
    jnp = jax.numpy
    a, b = _parts(x)
    c, d = _parts(y)
    by_real = jax.lax.abs(c) >= jax.lax.abs(d)
    large, small = jnp.where(by_real, c, d), jnp.where(by_real, d, c)
    ratio = quotient(jax, small, large)
    scale = quotient(jax, jax.lax.full_like(ratio, 1), large + small * ratio)
    re = jnp.where(by_real, a + b * ratio, a * ratio + b) * scale
    im = jnp.where(by_real, b - a * ratio, b * ratio - a) * scale
    zero = (c == 0) & (d == 0)
    size = jax.lax.abs(c)
    return _join(
        jax, jnp.where(zero, quotient(jax, a, size), re), jnp.where(zero, quotient(jax, b, size), im)
    )


def reciprocal(jax: Any, z: Any) -> Any:
    jnp = jax.numpy
    a, b = _parts(z)
    by_real = jax.lax.abs(b) <= jax.lax.abs(a)
    large, small = jnp.where(by_real, a, b), jnp.where(by_real, b, a)
    ratio = quotient(jax, small, large)
    total = large + small * ratio
    one = jax.lax.full_like(ratio, 1)
    re = quotient(jax, jnp.where(by_real, one, ratio), total)
    im = quotient(jax, jnp.where(by_real, -ratio, -one), total)
    return _join(jax, re, im)


def sign(jax: Any, z: Any) -> Any:
    """``z / |z|``; 0 at 0; an infinite part wins, two of them have no sign."""
    jnp = jax.numpy
    a, b = _parts(z)
    size = absolute(jax, z)
    safe = jnp.where(size == 0, 1, size)
    re, im = quotient(jax, a, safe), quotient(jax, b, safe)
    infinite = jnp.isinf(size)
    nan = jnp.isnan(size) | (jnp.isinf(a) & jnp.isinf(b))
    one = jax.lax.full_like(a, 1)
    zero = jax.lax.full_like(a, 0)
    re = jnp.where(infinite, jnp.where(jnp.isinf(a), jnp.copysign(one, a), zero), re)
    im = jnp.where(infinite, jnp.where(jnp.isinf(b), jnp.copysign(one, b), zero), im)
    re, im = (jnp.where(size == 0, zero, part) for part in (re, im))
    re, im = (jnp.where(nan, _constant(a, np.nan), part) for part in (re, im))
    return _join(jax, re, im)


def power(jax: Any, x: Any, y: Any) -> Any:
    """NumPy's ``npy_cpow``: cases at zero, products for small whole exponents, else ``exp(y log x)``."""
    jnp = jax.numpy
    general = jax.lax.pow(exact(jax, x), exact(jax, y))
    whole = jnp.where(jnp.isfinite(y.real), jnp.trunc(y.real), 0)
    small = (y.imag == 0) & (y.real == whole) & (jnp.abs(whole) < 100)
    exponent = jnp.where(small, jnp.abs(whole), 0).astype(np.int32)
    product = jax.lax.full_like(x, 1)
    base = x
    for bit in range(7):
        product = jnp.where((exponent >> bit) & 1 != 0, product * base, product)
        base = base * base
    product = jnp.where(whole < 0, reciprocal(jax, product), product)
    value = jnp.where(small, product, general)
    # 0 ** y: 1 at 0, 0 where Re y > 0, else NaN (C would say infinity in some cases).
    zero = (x.real == 0) & (x.imag == 0)
    nan = np.asarray(complex(np.nan, np.nan), x.dtype)
    at_zero = jnp.where(y.real > 0, jax.lax.full_like(x, 0), nan)
    value = jnp.where(zero, at_zero, value)
    return jnp.where((y.real == 0) & (y.imag == 0), jax.lax.full_like(x, 1), value)


def sqrt(jax: Any, z: Any) -> Any:
    jnp = jax.numpy
    a, b = _parts(z)
    root = exact(jax, jax.lax.sqrt(z))
    re, im = _parts(root)
    # The cut along the negative axis: the sign of a zero says which side.
    im = jnp.copysign(im, b)
    inf, zero = _constant(a, np.inf), jax.lax.full_like(a, 0)
    positive, negative = a == np.inf, a == -np.inf
    re = jnp.where(positive, inf, jnp.where(negative, jnp.where(jnp.isnan(b), b, zero), re))
    im = jnp.where(positive, jnp.where(jnp.isnan(b), b, jnp.copysign(zero, b)), im)
    im = jnp.where(negative, jnp.copysign(inf, b), im)
    undefined = jnp.isnan(a) | (jnp.isnan(b) & jnp.isfinite(a))
    re, im = (jnp.where(undefined, _constant(a, np.nan), part) for part in (re, im))
    high = jnp.isinf(b)
    return _join(jax, jnp.where(high, inf, re), jnp.where(high, b, im))


def _times_direction(jax: Any, size: Any, angle: Any) -> tuple[Any, Any]:
    """``size * cos(angle), size * sin(angle)`` for a size that is not negative, where 0 and infinity win."""
    jnp = jax.numpy
    lost = ~jnp.isfinite(angle)
    nan = _constant(size, np.nan)
    zero = jax.lax.full_like(size, 0)
    re = jnp.where(lost, jnp.where(size == 0, zero, jnp.where(jnp.isinf(size), size, nan)), size * jnp.cos(angle))
    im = jnp.where(lost, jnp.where(size == 0, zero, nan), size * jnp.sin(angle))
    return re, jnp.where(angle == 0, angle, im)


def exp(jax: Any, z: Any) -> Any:
    a, b = _parts(z)
    # Half the exponent twice: the product with a small cosine may be finite where exp(a) is not.
    half = exact(jax, jax.lax.exp(a * _constant(a, 0.5)))
    re, im = _times_direction(jax, half, b)
    whole = _join(jax, re * half, im * half)
    special = jax.numpy.isfinite(a) & jax.numpy.isfinite(b) & (jax.lax.abs(a) < np.log(float(np.finfo(a.dtype).max)))
    size = exact(jax, jax.lax.exp(jax.numpy.where(special, a, 0)))
    plain = _join(jax, size * jax.numpy.cos(b), size * jax.numpy.sin(b))
    return exact(jax, jax.numpy.where(special, plain, _repair(jax, whole, re, im, half)))


def _repair(jax: Any, whole: Any, re: Any, im: Any, half: Any) -> Any:
    """``whole`` but for zero times infinity, where the first product says what is meant."""
    jnp = jax.numpy
    keep = (half == 0) | jnp.isinf(half)
    return jnp.where(keep, _join(jax, re, im), _join(jax, whole.real, jnp.where(im == 0, im, whole.imag)))


def exp2(jax: Any, z: Any) -> Any:
    factor = _constant(z.real, np.log(2.0))
    return exp(jax, _join(jax, z.real * factor, z.imag * factor))


def expm1(jax: Any, z: Any) -> Any:
    """NumPy's own formula, by the half angle."""
    a, b = _parts(z)
    half = jax.lax.sin(b * _constant(b, 0.5))
    re = jax.lax.expm1(a) * jax.lax.cos(b) - _constant(a, 2) * half * half
    return _join(jax, re, exact(jax, jax.lax.exp(a)) * jax.lax.sin(b))


def log(jax: Any, z: Any) -> Any:
    jnp = jax.numpy
    a, b = _parts(z)
    big, small = jnp.maximum(jnp.abs(a), jnp.abs(b)), jnp.minimum(jnp.abs(a), jnp.abs(b))
    # Near the unit circle log |z| is what is left of 1 in |z|.
    near = (big > 0.5) & (big < 2)
    middle = jnp.where(near, big, 1)
    excess = (middle - 1) * (middle + 1) + jnp.where(near, small * small, 0)
    re = jnp.where(near, _constant(a, 0.5) * xla_real.log1p(jax, excess), jax.lax.log(z).real)
    re = jnp.where(jnp.isinf(big) | jnp.isinf(a) | jnp.isinf(b), _constant(a, np.inf), re)
    return exact(jax, _join(jax, re, jax.lax.atan2(b, a)))


def _scaled_log(jax: Any, z: Any, factor: float) -> Any:
    value = log(jax, z)
    scale = _constant(value.real, factor)
    return _join(jax, value.real * scale, value.imag * scale)


def log2(jax: Any, z: Any) -> Any:
    return _scaled_log(jax, z, 1 / np.log(2.0))


def log10(jax: Any, z: Any) -> Any:
    return _scaled_log(jax, z, 1 / np.log(10.0))


def log1p(jax: Any, z: Any) -> Any:
    """NumPy's own formula: the logarithm of ``|1 + z|``, without a correction for small z."""
    shifted = _join(jax, z.real + _constant(z.real, 1), z.imag)
    return _join(jax, jax.lax.log(absolute(jax, shifted)), jax.lax.atan2(shifted.imag, shifted.real))


def _hyperbolic(jax: Any, a: Any, b: Any, of_cos: Any, of_sin: Any) -> tuple[Any, Any]:
    """``of_cos * cos(b), of_sin * sin(b)`` where a is small, ``exp(|a|) / 2`` times the same where it is large."""
    jnp = jax.numpy
    large = jnp.abs(a) >= xla_real.LARGE
    half = exact(jax, jax.lax.exp(jnp.where(large, jnp.abs(a), 0) * _constant(a, 0.5)))
    cos, sin = jnp.cos(b), jnp.sin(b)
    re = jnp.where(large, half * _constant(a, 0.5) * cos * half, of_cos * cos)
    im = jnp.where(large, half * _constant(a, 0.5) * sin * half, of_sin * sin)
    # An infinite a: the direction is all that counts, and unknown where b is not finite.
    lost = ~jnp.isfinite(b)
    infinite = jnp.isinf(a)
    inf, nan = _constant(a, np.inf), _constant(a, np.nan)
    re = jnp.where(infinite, jnp.where(lost, inf, inf * cos), re)
    im = jnp.where(infinite, jnp.where(lost, nan, inf * sin), im)
    unknown = jnp.isnan(a) | (lost & ~infinite)
    return jnp.where(unknown, nan, re), jnp.where(unknown, nan, im)


def _bounded(jax: Any, a: Any) -> Any:
    return jax.numpy.clip(a, -xla_real.LARGE, xla_real.LARGE)


def sinh(jax: Any, z: Any) -> Any:
    jnp = jax.numpy
    a, b = _parts(z)
    small = _bounded(jax, a)
    re, im = _hyperbolic(jax, a, b, xla_real.sinh(jax, jnp.abs(small)), xla_real.cosh(jax, small))
    re = jnp.where(jnp.signbit(a) & (jnp.isfinite(b) | jnp.isfinite(a)), -re, re)
    return _join(jax, jnp.where(a == 0, a, re), jnp.where(b == 0, b, im))


def cosh(jax: Any, z: Any) -> Any:
    jnp = jax.numpy
    a, b = _parts(z)
    small = _bounded(jax, a)
    re, im = _hyperbolic(jax, a, b, xla_real.cosh(jax, small), xla_real.sinh(jax, jnp.abs(small)))
    im = jnp.where(jnp.signbit(a), -im, im)
    zero = jax.lax.full_like(a, 0)
    flat = jnp.copysign(zero, jnp.copysign(zero + 1, a) * jnp.copysign(zero + 1, b))
    return _join(jax, re, jnp.where((a == 0) | (b == 0), flat, im))


def tanh(jax: Any, z: Any) -> Any:
    jnp = jax.numpy
    a, b = _parts(z)
    small = _bounded(jax, a)
    cos, sin = jnp.cos(b), jnp.sin(b)
    sinh_a, cosh_a = xla_real.sinh(jax, small), xla_real.cosh(jax, small)
    below = sinh_a * sinh_a + cos * cos
    re, im = quotient(jax, sinh_a * cosh_a, below), quotient(jax, sin * cos, below)
    large = jnp.abs(a) >= xla_real.LARGE
    zero = jax.lax.full_like(a, 0)
    re = jnp.where(large, jnp.copysign(zero + 1, a), re)
    im = jnp.where(large, 4 * sin * cos * jnp.exp(-2 * jnp.abs(a)), im)
    lost = ~jnp.isfinite(b)
    infinite = jnp.isinf(a)
    im = jnp.where(infinite & lost, zero, im)
    nan = _constant(a, np.nan)
    unknown = jnp.isnan(a) | (lost & ~infinite)
    re, im = (jnp.where(unknown, nan, part) for part in (re, im))
    return _join(jax, jnp.where(a == 0, a, re), jnp.where(b == 0, b, im))


def _repaired(jax: Any, z: Any, value: Any, re: Any, im: Any) -> Any:
    """`value`, but ``re`` and ``im`` where a part of z is infinite or NaN."""
    special = ~(jax.numpy.isfinite(z.real) & jax.numpy.isfinite(z.imag))
    return _join(jax, jax.numpy.where(special, re, value.real), jax.numpy.where(special, im, value.imag))


def arcsinh(jax: Any, z: Any) -> Any:
    jnp = jax.numpy
    a, b = _parts(z)
    nan, zero = _constant(a, np.nan), jax.lax.full_like(a, 0)
    far = jnp.isinf(a) | jnp.isinf(b)
    re = jnp.where(far, jnp.copysign(_constant(a, np.inf), a), nan)
    angle = jnp.where(jnp.isinf(b), jnp.where(jnp.isinf(a), zero + np.pi / 4, zero + np.pi / 2), zero)
    im = jnp.where(far & ~jnp.isnan(a) & ~jnp.isnan(b), jnp.copysign(angle, b), nan)
    return _repaired(jax, z, _odd(jax, jnp.arcsinh(z), z), re, jnp.where(jnp.isnan(a) & (b == 0), b, im))


def arccosh(jax: Any, z: Any) -> Any:
    jnp = jax.numpy
    a, b = _parts(z)
    nan = _constant(a, np.nan)
    far = jnp.isinf(a) | jnp.isinf(b)
    # The angle of the point at infinity; atan2 knows it, NaN included.
    angle = jnp.where(far, jax.lax.atan2(b, a), jnp.where(a == 0, jnp.copysign(_constant(a, np.pi / 2), b), nan))
    value = jnp.arccosh(z)
    value = _join(jax, jnp.abs(value.real), jnp.copysign(value.imag, b))
    return _repaired(jax, z, value, jnp.where(far, _constant(a, np.inf), nan), angle)


def arccos(jax: Any, z: Any) -> Any:
    value = arccosh(jax, z)
    return _join(jax, jax.numpy.abs(value.imag), -jax.numpy.copysign(value.real, z.imag))


def arctanh(jax: Any, z: Any) -> Any:
    jnp = jax.numpy
    a, b = _parts(z)
    nan, zero = _constant(a, np.nan), jax.lax.full_like(a, 0)
    far = jnp.isinf(a) | jnp.isinf(b)
    re = jnp.where(far | (a == 0), jnp.copysign(zero, a), nan)
    im = jnp.where(far & ~jnp.isnan(b), jnp.copysign(zero + np.pi / 2, b), nan)
    return _repaired(jax, z, _odd(jax, jnp.arctanh(z), z), re, im)


def _odd(jax: Any, value: Any, z: Any) -> Any:
    """`value` with the signs of the parts of z: which side of a cut a zero is on."""
    return _join(jax, jax.numpy.copysign(value.real, z.real), jax.numpy.copysign(value.imag, z.imag))


def _rotated(jax: Any, function: Any, z: Any) -> Any:
    """``-i f(i z)``."""
    value = function(jax, _join(jax, -z.imag, z.real))
    return _join(jax, value.imag, -value.real)


def sin(jax: Any, z: Any) -> Any:
    re, im = _parts(_rotated(jax, sinh, z))
    # Where cos(Re z) is unknown the sign of the infinity is as well; the C library says plus.
    unknown = ~jax.numpy.isfinite(z.real) & jax.numpy.isinf(z.imag)
    return _join(jax, re, jax.numpy.where(unknown, jax.numpy.abs(im), im))


def cos(jax: Any, z: Any) -> Any:
    return cosh(jax, _join(jax, -z.imag, z.real))


def tan(jax: Any, z: Any) -> Any:
    return _rotated(jax, tanh, z)


def arcsin(jax: Any, z: Any) -> Any:
    return _rotated(jax, arcsinh, z)


def arctan(jax: Any, z: Any) -> Any:
    return _rotated(jax, arctanh, z)
