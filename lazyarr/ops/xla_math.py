"""XLA lowerings of scalar functions that behave as NumPy's loops do, corner cases included.

Each takes the ``jax`` module first (ops must not import it), then arrays of NumPy's loop dtypes. jax.numpy
promotes, and differs from NumPy at integer division by zero, shifts beyond the width, signed zeros and
complex corner cases; these do not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Lowering = Callable[..., Any]


def _integer(x: Any) -> bool:
    return bool(np.issubdtype(x.dtype, np.integer))


def _inexact(x: Any) -> bool:
    return bool(np.issubdtype(x.dtype, np.inexact))


def _complex(x: Any) -> bool:
    return bool(np.issubdtype(x.dtype, np.complexfloating))


def _together(jax: Any, *arrays: Any) -> list[Any]:
    return list(jax.numpy.broadcast_arrays(*arrays))


def lax(name: str) -> Lowering:
    """The ``jax.lax`` function `name`, its operands broadcast."""

    def lowered(jax: Any, *arrays: Any) -> Any:
        return getattr(jax.lax, name)(*_together(jax, *arrays))

    return lowered


def identity(jax: Any, x: Any) -> Any:
    return x


def add(jax: Any, x: Any, y: Any) -> Any:
    x, y = _together(jax, x, y)
    return jax.lax.bitwise_or(x, y) if x.dtype == np.bool_ else jax.lax.add(x, y)


def multiply(jax: Any, x: Any, y: Any) -> Any:
    x, y = _together(jax, x, y)
    return jax.lax.bitwise_and(x, y) if x.dtype == np.bool_ else jax.lax.mul(x, y)


def square(jax: Any, x: Any) -> Any:
    return multiply(jax, x, x)


def divide(jax: Any, x: Any, y: Any) -> Any:
    x, y = _together(jax, x, y)
    return jax.lax.div(x, y)


def reciprocal(jax: Any, x: Any) -> Any:
    one = jax.lax.full_like(x, 1)
    if not _integer(x):
        return jax.lax.div(one, x)
    # Integers: 1 / 0 is the smallest value in NumPy (a cast of infinity), 0 for the rest but 1 and -1.
    zero = jax.numpy.asarray(_integer_reciprocal_of_zero(x.dtype), x.dtype)
    return jax.numpy.where(x == 0, zero, jax.lax.div(one, jax.numpy.where(x == 0, one, x)))


def _integer_reciprocal_of_zero(dtype: Any) -> Any:
    with np.errstate(all="ignore"):
        return np.reciprocal(np.zeros(1, dtype))[0]


def _safe_divisor(jax: Any, x: Any, y: Any) -> Any:
    """`y` with zeros, and the one overflow ``min // -1``, made harmless."""
    one = jax.lax.full_like(y, 1)
    y = jax.numpy.where(y == 0, one, y)
    if np.issubdtype(x.dtype, np.signedinteger):
        y = jax.numpy.where((y == -1) & (x == np.iinfo(x.dtype).min), one, y)
    return y


def _floor_mod_float(jax: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """Python's floor division and modulo of floats, as NumPy's ``npy_divmod`` defines them.

    The remainder is C's exact ``fmod`` moved to the divisor's sign; the quotient is rounded to the integer
    nearest to ``(x - mod) / y``.
    """
    jnp = jax.numpy
    mod = jax.lax.rem(x, y)
    quotient = (x - mod) / y
    wrong = (mod != 0) & ((y < 0) != (mod < 0))
    quotient = jnp.where(wrong, quotient - 1, quotient)
    mod = jnp.where(mod != 0, jnp.where(wrong, mod + y, mod), jnp.copysign(jnp.zeros_like(mod), y))
    floored = jnp.floor(quotient)
    floored = jnp.where(quotient - floored > 0.5, floored + 1, floored)
    floored = jnp.where(quotient != 0, floored, jnp.copysign(jnp.zeros_like(x), x / y))
    plain = y == 0
    return jnp.where(plain, x / y, floored), jnp.where(plain, jax.lax.rem(x, y), mod)


def _in_float32(jax: Any, function: Lowering, *arrays: Any) -> Any:
    """Float16 work as NumPy does it: in float32, rounded once."""
    if arrays[0].dtype != np.float16:
        return function(jax, *arrays)
    wide = function(jax, *(a.astype(np.float32) for a in arrays))
    return jax.tree_util.tree_map(lambda r: r.astype(np.float16), wide)


def floor_divide(jax: Any, x: Any, y: Any) -> Any:
    x, y = _together(jax, x, y)
    if _inexact(x):
        return _in_float32(jax, _floor_mod_float, x, y)[0]
    divisor = _safe_divisor(jax, x, y)
    quotient = jax.lax.div(x, divisor)
    if np.issubdtype(x.dtype, np.signedinteger):
        inexact = jax.lax.rem(x, divisor) != 0
        quotient = jax.numpy.where(inexact & ((x < 0) != (divisor < 0)), quotient - 1, quotient)
    return jax.numpy.where(y == 0, jax.lax.full_like(x, 0), quotient)


def remainder(jax: Any, x: Any, y: Any) -> Any:
    x, y = _together(jax, x, y)
    if _inexact(x):
        return _in_float32(jax, _floor_mod_float, x, y)[1]
    divisor = _safe_divisor(jax, x, y)
    rest = jax.lax.rem(x, divisor)
    if np.issubdtype(x.dtype, np.signedinteger):
        rest = jax.numpy.where((rest != 0) & ((rest < 0) != (divisor < 0)), rest + divisor, rest)
    return jax.numpy.where(y == 0, jax.lax.full_like(x, 0), rest)


def divmod(jax: Any, x: Any, y: Any) -> Any:
    if _inexact(x):
        return _in_float32(jax, _floor_mod_float, *_together(jax, x, y))
    return floor_divide(jax, x, y), remainder(jax, x, y)


def fmod(jax: Any, x: Any, y: Any) -> Any:
    x, y = _together(jax, x, y)
    if _inexact(x):
        return _in_float32(jax, lambda jax, a, b: jax.lax.rem(a, b), x, y)
    rest = jax.lax.rem(x, _safe_divisor(jax, x, y))
    return jax.numpy.where(y == 0, jax.lax.full_like(x, 0), rest)


def power(jax: Any, x: Any, y: Any) -> Any:
    x, y = _together(jax, x, y)
    if not _integer(x):
        if _complex(x):
            # NumPy defines 0 ** y by cases; exp(y log x) does not.
            value = jax.lax.pow(x, y)
            zero = jax.lax.full_like(x, 0)
            value = jax.numpy.where((x == 0) & (y.real > 0), zero, value)
            return jax.numpy.where(y == 0, jax.lax.full_like(x, 1), value)
        return jax.lax.pow(x, y)
    # Square and multiply; every bit of the exponent, so that overflow wraps as NumPy's loop does.
    result = jax.lax.full_like(x, 1)
    bits = 8 * y.dtype.itemsize - (1 if np.issubdtype(y.dtype, np.signedinteger) else 0)

    def step(_: Any, state: Any) -> Any:
        result, base, exponent = state
        result = jax.numpy.where(exponent & 1 != 0, result * base, result)
        return result, base * base, jax.lax.shift_right_logical(exponent, jax.lax.full_like(exponent, 1))

    return jax.lax.fori_loop(0, bits, step, (result, x, y))[0]


def absolute(jax: Any, x: Any) -> Any:
    if x.dtype == np.bool_ or np.issubdtype(x.dtype, np.unsignedinteger):
        return x
    return jax.lax.abs(x)


def sign(jax: Any, x: Any) -> Any:
    if _complex(x):
        # NumPy 2: x / |x|, and 0 at 0.
        size = jax.lax.abs(x)
        return jax.numpy.where(x == 0, jax.lax.full_like(x, 0), x / jax.numpy.where(x == 0, 1, size).astype(x.dtype))
    if _inexact(x):
        # NumPy's sign(-0.0) is 0.0.
        return jax.numpy.where(x == 0, jax.lax.full_like(x, 0), jax.lax.sign(x))
    return jax.lax.sign(x)


def log2(jax: Any, x: Any) -> Any:
    if _complex(x):
        return jax.lax.log(x) * np.asarray(1 / np.log(2.0), x.dtype)
    # Powers of two are exact in NumPy; log(x) / log(2) is not.
    mantissa, exponent = jax.numpy.frexp(x)
    special = ~jax.numpy.isfinite(x) | (x <= 0)
    low = mantissa < np.sqrt(0.5)
    mantissa = jax.numpy.where(low, mantissa * 2, mantissa)
    exponent = jax.numpy.where(low, exponent - 1, exponent)
    exact = exponent.astype(x.dtype) + jax.lax.log(mantissa) * np.asarray(1 / np.log(2.0), x.dtype)
    return jax.numpy.where(special, jax.lax.log(x), exact)


def log10(jax: Any, x: Any) -> Any:
    return jax.lax.log(x) * np.asarray(1 / np.log(10.0), x.dtype)


def rounding(name: str) -> Lowering:
    """``floor`` or ``ceil``, which leave bools and integers as they are."""

    def lowered(jax: Any, x: Any) -> Any:
        return getattr(jax.lax, name)(x) if _inexact(x) else x

    return lowered


def trunc(jax: Any, x: Any) -> Any:
    if not _inexact(x):
        return x
    return jax.numpy.copysign(jax.lax.floor(jax.lax.abs(x)), x)


def conjugate(jax: Any, x: Any) -> Any:
    return jax.lax.conj(x) if _complex(x) else x


def spacing(jax: Any, x: Any) -> Any:
    away = jax.numpy.where(jax.numpy.signbit(x), -np.inf, np.inf).astype(x.dtype)
    step = jax.lax.nextafter(x, away) - x
    smallest = np.asarray(np.finfo(x.dtype).smallest_subnormal)
    step = jax.numpy.where(x == 0, smallest, step)
    return jax.numpy.where(jax.numpy.isfinite(x), step, np.asarray(np.nan, x.dtype))


def ldexp(jax: Any, x: Any, exponent: Any) -> Any:
    return jax.numpy.ldexp(x, exponent.astype(np.int32)).astype(x.dtype)


def modf(jax: Any, x: Any) -> Any:
    whole = trunc(jax, x)
    fraction = jax.numpy.where(jax.numpy.isinf(x), jax.lax.full_like(x, 0), x - whole)
    return jax.numpy.copysign(fraction, x), whole


def frexp(jax: Any, x: Any) -> Any:
    mantissa, exponent = jax.numpy.frexp(x)
    special = ~jax.numpy.isfinite(x) | (x == 0)
    return jax.numpy.where(special, x, mantissa), jax.numpy.where(special, 0, exponent).astype(np.int32)


def _ordered_before(jax: Any, name: str, x: Any, y: Any) -> Any:
    """NumPy's ordering of complex numbers: by real part, then by imaginary part."""
    plain = {"less": jax.lax.lt, "less_equal": jax.lax.le, "greater": jax.lax.gt, "greater_equal": jax.lax.ge}[name]
    strict = {"less": jax.lax.lt, "less_equal": jax.lax.lt, "greater": jax.lax.gt, "greater_equal": jax.lax.gt}[name]
    ordered = ~jax.numpy.isnan(x.imag) & ~jax.numpy.isnan(y.imag)
    return (strict(x.real, y.real) & ordered) | ((x.real == y.real) & plain(x.imag, y.imag))


def compare(name: str) -> Lowering:
    """A comparison; complex numbers are ordered as NumPy orders them."""

    def lowered(jax: Any, x: Any, y: Any) -> Any:
        if x.dtype != y.dtype:
            # NumPy's one mixed loop: a signed against an unsigned 64-bit integer, compared by value.
            return _compare_mixed_integers(jax, name, *_together(jax, x, y))
        x, y = _together(jax, x, y)
        if _complex(x) and name not in ("equal", "not_equal"):
            return _ordered_before(jax, name, x, y)
        return getattr(jax.numpy, name)(x, y)

    return lowered


def _compare_mixed_integers(jax: Any, name: str, x: Any, y: Any) -> Any:
    compare_same = getattr(jax.numpy, name)
    unsigned = np.uint64
    inside = compare_same(x.astype(unsigned), y.astype(unsigned))
    if np.issubdtype(x.dtype, np.signedinteger):
        return jax.numpy.where(x < 0, np.asarray(name in ("less", "less_equal", "not_equal")), inside)
    return jax.numpy.where(y < 0, np.asarray(name in ("greater", "greater_equal", "not_equal")), inside)


def extremum(name: str) -> Lowering:
    """``maximum``, ``minimum``, ``fmax`` or ``fmin``; which NaN and which zero come back is NumPy's choice."""

    def lowered(jax: Any, x: Any, y: Any) -> Any:
        x, y = _together(jax, x, y)
        jnp = jax.numpy
        if not _inexact(x):
            return (jax.lax.max if name in ("maximum", "fmax") else jax.lax.min)(x, y)
        greater = "greater_equal" if name in ("maximum", "fmax") else "less_equal"
        first = _ordered_before(jax, greater, x, y) if _complex(x) else getattr(jnp, greater)(x, y)
        if name in ("maximum", "minimum"):
            return jnp.where(first | jnp.isnan(x), x, y)
        return jnp.where(first | jnp.isnan(y), x, y)

    return lowered


def clip(jax: Any, x: Any, low: Any, high: Any) -> Any:
    return extremum("minimum")(jax, extremum("maximum")(jax, x, low), high)


def _shift(jax: Any, x: Any, count: Any, shift: Any, beyond: Any) -> Any:
    bits = 8 * x.dtype.itemsize
    inside = (count >= 0) & (count < bits)
    safe = jax.numpy.where(inside, count, jax.lax.full_like(count, 0))
    return jax.numpy.where(inside, shift(x, safe), beyond)


def left_shift(jax: Any, x: Any, count: Any) -> Any:
    x, count = _together(jax, x, count)
    return _shift(jax, x, count, jax.lax.shift_left, jax.lax.full_like(x, 0))


def right_shift(jax: Any, x: Any, count: Any) -> Any:
    x, count = _together(jax, x, count)
    zero = jax.lax.full_like(x, 0)
    if np.issubdtype(x.dtype, np.unsignedinteger):
        return _shift(jax, x, count, jax.lax.shift_right_logical, zero)
    beyond = jax.numpy.where(x < 0, jax.lax.full_like(x, -1), zero)
    return _shift(jax, x, count, jax.lax.shift_right_arithmetic, beyond)


def gcd(jax: Any, x: Any, y: Any) -> Any:
    x, y = _together(jax, absolute(jax, x), absolute(jax, y))

    def unfinished(state: Any) -> Any:
        return jax.numpy.any(state[1] != 0)

    def step(state: Any) -> Any:
        a, b = state
        rest = jax.lax.rem(a, jax.numpy.where(b == 0, jax.lax.full_like(b, 1), b))
        return jax.numpy.where(b == 0, a, b), jax.numpy.where(b == 0, b, rest)

    return jax.lax.while_loop(unfinished, step, (x, y))[0]


def lcm(jax: Any, x: Any, y: Any) -> Any:
    x, y = _together(jax, absolute(jax, x), absolute(jax, y))
    common = gcd(jax, x, y)
    safe = jax.numpy.where(common == 0, jax.lax.full_like(common, 1), common)
    return jax.numpy.where(common == 0, common, jax.lax.div(x, safe) * y)


def cast(jax: Any, x: Any, *, dtype: np.dtype[Any]) -> Any:
    if x.dtype == dtype:
        return x
    if dtype == np.bool_:
        return x != jax.lax.full_like(x, 0)
    if _complex(x) and not np.issubdtype(dtype, np.complexfloating):
        x = x.real
    if _inexact(x) and np.issubdtype(dtype, np.integer):
        return _float_to_integer(jax, x, dtype)
    return jax.lax.convert_element_type(x, dtype)


def _float_to_integer(jax: Any, x: Any, dtype: np.dtype[Any]) -> Any:
    """C's conversion as x86-64 does it: through int64, out of range gives the smallest int64, then truncated."""
    if x.dtype == np.float16:
        x = x.astype(np.float32)
    jnp = jax.numpy
    lowest = np.iinfo(np.int64).min
    inside = (x >= np.asarray(-(2.0**63), x.dtype)) & (x < np.asarray(2.0**63, x.dtype))
    wide = jnp.where(inside, jax.lax.convert_element_type(jnp.where(inside, x, 0), np.int64), lowest)
    if dtype == np.uint64:
        high = (x >= np.asarray(2.0**63, x.dtype)) & (x < np.asarray(2.0**64, x.dtype))
        upper = jax.lax.convert_element_type(jnp.where(high, x - np.asarray(2.0**63, x.dtype), 0), np.int64)
        return jnp.where(high, upper.astype(np.uint64) + np.uint64(2**63), wide.astype(np.uint64))
    if dtype.itemsize == 4 and dtype.kind == "i":
        # cvttsd2si has a 32-bit form, whose "indefinite" value is the smallest int32.
        fits = (wide >= np.iinfo(np.int32).min) & (wide <= np.iinfo(np.int32).max)
        wide = jnp.where(fits, wide, np.iinfo(np.int32).min)
    return wide.astype(dtype)


def bitcast(jax: Any, x: Any, *, dtype: np.dtype[Any]) -> Any:
    if x.dtype == np.bool_:
        x = x.astype(np.uint8)
    if dtype == np.bool_:
        return jax.lax.bitcast_convert_type(x, np.uint8) != 0
    return jax.lax.bitcast_convert_type(x, dtype)
