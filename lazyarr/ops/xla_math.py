"""XLA lowerings of scalar functions that behave as NumPy's loops do, corner cases included.

Each takes the ``jax`` module first (ops must not import it), then arrays of NumPy's loop dtypes. jax.numpy
promotes, and differs from NumPy at integer division by zero, shifts beyond the width, signed zeros and
complex corner cases; these do not.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lazyarr.ops import xla_complex
from lazyarr.ops.xla_core import (
    Lowering,
    exact,
    in_float32,
    is_complex,
    is_inexact,
    is_integer,
    quotient,
    scale_by_power_of_two,
    together,
)


def add(jax: Any, x: Any, y: Any) -> Any:
    x, y = together(jax, x, y)
    return jax.lax.bitwise_or(x, y) if x.dtype == np.bool_ else jax.lax.add(x, y)


def multiply(jax: Any, x: Any, y: Any) -> Any:
    x, y = together(jax, x, y)
    return jax.lax.bitwise_and(x, y) if x.dtype == np.bool_ else jax.lax.mul(x, y)


def square(jax: Any, x: Any) -> Any:
    return multiply(jax, x, x)


def divide(jax: Any, x: Any, y: Any) -> Any:
    x, y = together(jax, x, y)
    return xla_complex.divide(jax, x, y) if is_complex(x) else quotient(jax, x, y)


def reciprocal(jax: Any, x: Any) -> Any:
    if is_complex(x):
        return xla_complex.reciprocal(jax, x)
    one = jax.lax.full_like(x, 1)
    if not is_integer(x):
        return quotient(jax, one, x)
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
    ratio = quotient(jax, x - mod, y)
    wrong = (mod != 0) & ((y < 0) != (mod < 0))
    ratio = jnp.where(wrong, ratio - 1, ratio)
    mod = jnp.where(mod != 0, jnp.where(wrong, mod + y, mod), jnp.copysign(jnp.zeros_like(mod), y))
    floored = jnp.floor(ratio)
    floored = jnp.where(ratio - floored > 0.5, floored + 1, floored)
    plain = quotient(jax, x, y)
    floored = jnp.where(ratio != 0, floored, jnp.copysign(jnp.zeros_like(x), plain))
    return jnp.where(y == 0, plain, floored), jnp.where(y == 0, jax.lax.rem(x, y), mod)


def floor_divide(jax: Any, x: Any, y: Any) -> Any:
    x, y = together(jax, x, y)
    if is_inexact(x):
        return in_float32(jax, _floor_mod_float, x, y)[0]
    divisor = _safe_divisor(jax, x, y)
    quotient = jax.lax.div(x, divisor)
    if np.issubdtype(x.dtype, np.signedinteger):
        inexact = jax.lax.rem(x, divisor) != 0
        quotient = jax.numpy.where(inexact & ((x < 0) != (divisor < 0)), quotient - 1, quotient)
    return jax.numpy.where(y == 0, jax.lax.full_like(x, 0), quotient)


def remainder(jax: Any, x: Any, y: Any) -> Any:
    x, y = together(jax, x, y)
    if is_inexact(x):
        return in_float32(jax, _floor_mod_float, x, y)[1]
    divisor = _safe_divisor(jax, x, y)
    rest = jax.lax.rem(x, divisor)
    if np.issubdtype(x.dtype, np.signedinteger):
        rest = jax.numpy.where((rest != 0) & ((rest < 0) != (divisor < 0)), rest + divisor, rest)
    return jax.numpy.where(y == 0, jax.lax.full_like(x, 0), rest)


def divmod(jax: Any, x: Any, y: Any) -> Any:
    if is_inexact(x):
        return in_float32(jax, _floor_mod_float, *together(jax, x, y))
    return floor_divide(jax, x, y), remainder(jax, x, y)


def fmod(jax: Any, x: Any, y: Any) -> Any:
    x, y = together(jax, x, y)
    if is_inexact(x):
        return in_float32(jax, lambda jax, a, b: jax.lax.rem(a, b), x, y)
    rest = jax.lax.rem(x, _safe_divisor(jax, x, y))
    return jax.numpy.where(y == 0, jax.lax.full_like(x, 0), rest)


def power(jax: Any, x: Any, y: Any) -> Any:
    x, y = together(jax, x, y)
    if is_complex(x):
        return xla_complex.power(jax, x, y)
    if not is_integer(x):
        return in_float32(jax, lambda jax, a, b: jax.lax.pow(exact(jax, a), exact(jax, b)), x, y)
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
    return xla_complex.absolute(jax, x) if is_complex(x) else jax.lax.abs(x)


def sign(jax: Any, x: Any) -> Any:
    if is_complex(x):
        return xla_complex.sign(jax, x)
    if is_inexact(x):
        # NumPy's sign(-0.0) is 0.0.
        return jax.numpy.where(x == 0, jax.lax.full_like(x, 0), jax.lax.sign(x))
    return jax.lax.sign(x)


def rounding(name: str) -> Lowering:
    """``floor`` or ``ceil``, which leave bools and integers as they are."""

    def lowered(jax: Any, x: Any) -> Any:
        return getattr(jax.lax, name)(x) if is_inexact(x) else x

    return lowered


def trunc(jax: Any, x: Any) -> Any:
    if not is_inexact(x):
        return x
    return jax.numpy.copysign(jax.lax.floor(jax.lax.abs(x)), x)


def conjugate(jax: Any, x: Any) -> Any:
    return jax.lax.conj(x) if is_complex(x) else x


def _ordinal(jax: Any, x: Any) -> Any:
    """The bits of a float16 as int32."""
    return jax.lax.bitcast_convert_type(x, np.int16).astype(np.int32)


def _float16(jax: Any, bits: Any) -> Any:
    return jax.lax.bitcast_convert_type(bits.astype(np.int16), np.float16)


def nextafter(jax: Any, x: Any, y: Any) -> Any:
    x, y = together(jax, x, y)
    if x.dtype != np.float16:
        return jax.lax.nextafter(x, y)
    jnp = jax.numpy
    bits = _ordinal(jax, x)
    away = (y > x) == (bits >= 0)
    stepped = _float16(jax, bits + jnp.where(away, 1, -1))
    # From either zero the step is the smallest number of the sign of y.
    stepped = jnp.where(x == 0, jnp.copysign(np.finfo(np.float16).smallest_subnormal, y), stepped)
    nan = jnp.isnan(x) | jnp.isnan(y)
    return jnp.where(nan, np.asarray(np.nan, x.dtype), jnp.where(x == y, x, stepped))


def spacing(jax: Any, x: Any) -> Any:
    jnp = jax.numpy
    smallest = np.asarray(np.finfo(x.dtype).smallest_subnormal)
    if x.dtype == np.float16:
        # NumPy's float16 loop: positive, and below a power of two the spacing towards zero for negative numbers.
        wide = x.astype(np.float32)
        upper = nextafter(jax, x, np.asarray(np.inf, x.dtype)).astype(np.float32)
        step = jnp.maximum(jnp.abs(upper - wide).astype(x.dtype), smallest)
    else:
        away = jnp.copysign(np.asarray(np.inf, x.dtype), x)
        step = jnp.where(x == 0, smallest, jax.lax.nextafter(x, away) - x)
    return jnp.where(jnp.isfinite(x), step, np.asarray(np.nan, x.dtype))


def ldexp(jax: Any, x: Any, exponent: Any) -> Any:
    x, exponent = together(jax, x, exponent)
    # Beyond this every finite number is zero or infinite.
    exponent = jax.numpy.clip(exponent, -5000, 5000).astype(np.int32)
    return in_float32(jax, lambda jax, a: scale_by_power_of_two(jax, a, exponent), x)


def modf(jax: Any, x: Any) -> Any:
    whole = trunc(jax, x)
    fraction = jax.numpy.where(jax.numpy.isinf(x), jax.lax.full_like(x, 0), x - whole)
    return jax.numpy.copysign(fraction, x), whole


def frexp(jax: Any, x: Any) -> Any:
    mantissa, exponent = jax.numpy.frexp(x)
    special = ~jax.numpy.isfinite(x) | (x == 0)
    return jax.numpy.where(special, x, mantissa), jax.numpy.where(special, 0, exponent).astype(np.int32)


def _lexicographic(jax: Any, name: str, x: Any, y: Any) -> Any:
    """Comparison of complex numbers by real part, then by imaginary part."""
    plain = {"less": jax.lax.lt, "less_equal": jax.lax.le, "greater": jax.lax.gt, "greater_equal": jax.lax.ge}[name]
    strict = {"less": jax.lax.lt, "less_equal": jax.lax.lt, "greater": jax.lax.gt, "greater_equal": jax.lax.gt}[name]
    return jax.numpy.where(x.real == y.real, plain(x.imag, y.imag), strict(x.real, y.real))


def _ordered_before(jax: Any, name: str, x: Any, y: Any) -> Any:
    """NumPy's ordering of complex numbers, which no NaN takes part in."""
    ordered = ~jax.numpy.isnan(x.imag) & ~jax.numpy.isnan(y.imag)
    return _lexicographic(jax, name, x, y) & ordered


def compare(name: str) -> Lowering:
    """A comparison; complex numbers are ordered as NumPy orders them."""

    def lowered(jax: Any, x: Any, y: Any) -> Any:
        if x.dtype != y.dtype:
            # NumPy's one mixed loop: a signed against an unsigned 64-bit integer, compared by value.
            return _compare_mixed_integers(jax, name, *together(jax, x, y))
        x, y = together(jax, x, y)
        if is_complex(x) and name not in ("equal", "not_equal"):
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
        x, y = together(jax, x, y)
        jnp = jax.numpy
        if not is_inexact(x):
            return (jax.lax.max if name in ("maximum", "fmax") else jax.lax.min)(x, y)
        # Of two equal numbers, zeros of unlike sign, NumPy's vector loops keep the second one, the others the first.
        relation = "greater" if name in ("maximum", "fmax") else "less"
        if is_complex(x) or x.dtype == np.float16:
            relation += "_equal"
        first = _ordered_before(jax, relation, x, y) if is_complex(x) else getattr(jnp, relation)(x, y)
        if name in ("maximum", "minimum"):
            return jnp.where(first | jnp.isnan(x), x, y)
        return jnp.where(first | jnp.isnan(y), x, y)

    return lowered


def clip(jax: Any, x: Any, low: Any, high: Any) -> Any:
    x, low, high = together(jax, x, low, high)
    if not is_complex(x):
        return extremum("minimum")(jax, extremum("maximum")(jax, x, low), high)
    # NumPy's clip keeps x if it is NaN, but orders by parts as if no bound could be.
    for relation, bound in (("greater", low), ("less", high)):
        keep = _lexicographic(jax, relation, x, bound) | jax.numpy.isnan(x)
        x = jax.numpy.where(keep, x, bound)
    return x


def _shift(jax: Any, x: Any, count: Any, shift: Any, beyond: Any) -> Any:
    bits = 8 * x.dtype.itemsize
    inside = (count >= 0) & (count < bits)
    safe = jax.numpy.where(inside, count, jax.lax.full_like(count, 0))
    return jax.numpy.where(inside, shift(x, safe), beyond)


def left_shift(jax: Any, x: Any, count: Any) -> Any:
    x, count = together(jax, x, count)
    return _shift(jax, x, count, jax.lax.shift_left, jax.lax.full_like(x, 0))


def right_shift(jax: Any, x: Any, count: Any) -> Any:
    x, count = together(jax, x, count)
    zero = jax.lax.full_like(x, 0)
    if np.issubdtype(x.dtype, np.unsignedinteger):
        return _shift(jax, x, count, jax.lax.shift_right_logical, zero)
    beyond = jax.numpy.where(x < 0, jax.lax.full_like(x, -1), zero)
    return _shift(jax, x, count, jax.lax.shift_right_arithmetic, beyond)


def _magnitudes(jax: Any, *arrays: Any) -> list[Any]:
    """Magnitudes of integers as unsigned integers, which hold that of the smallest one."""
    unsigned = np.dtype(f"u{arrays[0].dtype.itemsize}")
    return [absolute(jax, x).astype(unsigned) for x in together(jax, *arrays)]


def _gcd_unsigned(jax: Any, x: Any, y: Any) -> Any:
    def unfinished(state: Any) -> Any:
        return jax.numpy.any(state[1] != 0)

    def step(state: Any) -> Any:
        a, b = state
        rest = jax.lax.rem(a, jax.numpy.where(b == 0, jax.lax.full_like(b, 1), b))
        return jax.numpy.where(b == 0, a, b), jax.numpy.where(b == 0, b, rest)

    return jax.lax.while_loop(unfinished, step, (x, y))[0]


def gcd(jax: Any, x: Any, y: Any) -> Any:
    return _gcd_unsigned(jax, *_magnitudes(jax, x, y)).astype(x.dtype)


def lcm(jax: Any, x: Any, y: Any) -> Any:
    a, b = _magnitudes(jax, x, y)
    common = _gcd_unsigned(jax, a, b)
    safe = jax.numpy.where(common == 0, jax.lax.full_like(common, 1), common)
    return jax.numpy.where(common == 0, common, jax.lax.div(a, safe) * b).astype(x.dtype)


def cast(jax: Any, x: Any, *, dtype: np.dtype[Any]) -> Any:
    if x.dtype == dtype:
        return x
    if dtype == np.bool_:
        return x != jax.lax.full_like(x, 0)
    if is_complex(x) and not np.issubdtype(dtype, np.complexfloating):
        x = x.real
    if is_inexact(x) and np.issubdtype(dtype, np.integer):
        return _float_to_integer(jax, x, dtype)
    if x.dtype == np.bool_ and np.issubdtype(dtype, np.inexact):
        # XLA turns ``convert(mask) * y`` into ``select(mask, y, 0)``, which hides NaN and infinity; not this form.
        return jax.numpy.where(x, np.ones((), dtype), np.zeros((), dtype))
    if x.dtype == np.float64 and dtype == np.float16:
        x = _rounded_to_odd(jax, x)
    return jax.lax.convert_element_type(x, dtype)


def _rounded_to_odd(jax: Any, x: Any) -> Any:
    """Float64 as float32, inexact values to the odd neighbour, so that a second rounding to float16 is right.

    XLA goes through float32 by itself, rounding to nearest twice (Boldo, Melquiond 2008: "Emulation of FMA and
    correctly rounded sums: proved algorithms using rounding to odd").
    """
    nearest = x.astype(np.float32)
    rest = x - nearest.astype(np.float64)
    bits = jax.lax.bitcast_convert_type(nearest, np.int32)
    outward = (rest > 0) == (nearest > 0)
    odd = jax.lax.bitcast_convert_type(bits + jax.numpy.where(outward, 1, -1).astype(np.int32), np.float32)
    move = (rest != 0) & jax.numpy.isfinite(nearest) & (nearest != 0) & (bits & 1 == 0)
    return jax.numpy.where(move, odd, nearest)


def _truncated(jax: Any, x: Any, dtype: type[np.signedinteger[Any]]) -> Any:
    """Conversion of floats to int32 or int64 as x86-64 has it: NaN, or out of range, gives the smallest integer."""
    limits = np.iinfo(dtype)
    inside = (x > np.asarray(float(limits.min) - 1, x.dtype)) & (x < np.asarray(float(limits.max) + 1, x.dtype))
    whole = jax.lax.convert_element_type(jax.numpy.where(inside, x, 0), dtype)
    return jax.numpy.where(inside, whole, np.asarray(limits.min, dtype))


def _float_to_integer(jax: Any, x: Any, dtype: np.dtype[Any]) -> Any:
    """NumPy's conversion on x86-64, where C leaves it undefined too.

    Small integers are cut from an int32; the upper half of unsigned ones is converted shifted down.
    """
    half_precision = x.dtype == np.float16
    if half_precision:
        x = x.astype(np.float32)
    # Float16 has no vector loop of its own: there NumPy cuts a uint32 from an int64.
    signed = np.int64 if dtype.itemsize == 8 or (half_precision and dtype == np.uint32) else np.int32
    if dtype.kind == "i" or dtype.itemsize < np.dtype(signed).itemsize:
        return _truncated(jax, x, signed).astype(dtype)
    half = np.asarray(2.0 ** (8 * dtype.itemsize - 1), x.dtype)
    top = np.asarray(1 << (8 * dtype.itemsize - 1), dtype)
    upper = _truncated(jax, x - half, signed).astype(dtype) ^ top
    return jax.numpy.where(x >= half, upper, _truncated(jax, x, signed).astype(dtype))


def bitcast(jax: Any, x: Any, *, dtype: np.dtype[Any]) -> Any:
    if x.dtype == np.bool_:
        x = x.astype(np.uint8)
    if dtype == np.bool_:
        return jax.lax.bitcast_convert_type(x, np.uint8) != 0
    return jax.lax.bitcast_convert_type(x, dtype)
