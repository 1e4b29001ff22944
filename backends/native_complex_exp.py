"""The exponential of complex numbers, ``exp(a) * (cos(b) + i sin(b))``, by what the loop vectorizer can use.

NumPy calls the C library for one number at a time. In programs whose loops data ends that stays so
(`Frame._lower`). The modulus is computed here to less than one unit in the last place: with the errors of sine and
cosine a result is within four.
"""

from __future__ import annotations

from math import factorial, log

import numpy as np

from lazyarr.backends import native_math
from lazyarr.backends.native_emit import Code, Element, literal, part, register

#: Real parts beyond which ``exp(a)`` may be out of range where the result is not, and by how much they are moved then.
_LARGE, _MOVED = 700.0, 64.0
#: The same of those of which the result is in range only for the smallest angles; above the last it never is.
_HUGE, _FAR, _NEVER = 764.0, 700.0, 1409.0
#: What real parts are moved into: no power of two beyond these is needed.
_LEAST, _MOST = -708.0, 709.0
#: The logarithm of 2 in two parts; the first has few digits, so that multiples of it are exact.
_LOG2_HIGH, _LOG2_LOW = float.fromhex("0x1.62e42fee00000p-1"), float.fromhex("0x1.a39ef35793c76p-33")
#: A number that is added so that a sum's last digits are a whole number.
_WHOLE = 1.5 * 2.0**52
#: Terms of the series for what is left, at most half the logarithm of 2.
_TERMS = 14


def exp(c: Code, t: np.dtype[np.generic], x: Element) -> Element:
    """One element; `t` is the complex dtype."""
    own, type, wide = part(t), register(t), "double"

    def constant(value: float) -> str:
        return literal(value, np.dtype("f8"))[0]

    def binary(op: str, one: str, other: str) -> str:
        return c.emit(f"{op} {wide} {one}, {other}")

    def choose(condition: str, one: str, other: str) -> str:
        return c.emit(f"select i1 {condition}, {wide} {one}, {wide} {other}")

    a, b = (p if own.itemsize == 8 else c.emit(f"fpext {type} {p} to {wide}") for p in x)
    above, below = binary("fcmp ogt", a, constant(_LARGE)), binary("fcmp olt", a, constant(-_LARGE))
    huge, never = binary("fcmp ogt", a, constant(_HUGE)), binary("fcmp ogt", a, constant(_NEVER))
    less = choose(huge, constant(-_FAR), constant(-_MOVED))
    moved = binary("fadd", a, choose(above, less, choose(below, constant(_MOVED), constant(0.0))))
    moved = choose(binary("fcmp olt", moved, constant(_LEAST)), constant(_LEAST), moved)
    moved = choose(binary("fcmp ogt", moved, constant(_MOST)), constant(_MOST), moved)
    power = _exp(c, moved)
    more = choose(never, constant(np.inf), choose(huge, constant(float(np.exp(_FAR))), constant(float(np.exp(_MOVED)))))
    again = choose(above, more, choose(below, constant(float(np.exp(-_MOVED))), constant(1.0)))
    found = []
    for name in ("cos", "sin"):
        angle = str(native_math.FUNCTIONS[name](c, own, x[1]))
        angle = angle if own.itemsize == 8 else c.emit(f"fpext {type} {angle} to {wide}")
        found.append(binary("fmul", binary("fmul", power, angle), again))
    # A real number stays one, whatever it is; of an angle that is none the modulus is known, if it is 0 or infinite.
    found[1] = choose(binary("fcmp oeq", b, constant(0.0)), b, found[1])
    none = c.emit(f"fcmp uno {wide} {binary('fsub', b, b)}, {constant(0.0)}")
    nothing = c.emit(f"and i1 {none}, {binary('fcmp oeq', a, constant(-np.inf))}")
    endless = c.emit(f"and i1 {none}, {binary('fcmp oeq', a, constant(np.inf))}")
    found = [choose(nothing, constant(0.0), value) for value in found]
    found[0] = choose(endless, constant(np.inf), found[0])
    return tuple(v if own.itemsize == 8 else c.emit(f"fptrunc {wide} {v} to {type}") for v in found)


def _exp(c: Code, x: str) -> str:
    """The exponential of a float64 from `_LEAST` to `_MOST`, or NaN, to less than a unit in the last place."""

    def constant(value: float) -> str:
        return literal(value, np.dtype("f8"))[0]

    def fused(one: str, other: str, third: str) -> str:
        c.module.declare("@llvm.fma.f64", "declare double @llvm.fma.f64(double, double, double)")
        return c.emit(f"call double @llvm.fma.f64(double {one}, double {other}, double {third})")

    shifted = fused(x, constant(1 / log(2)), constant(_WHOLE))
    whole = c.emit(f"fsub double {shifted}, {constant(_WHOLE)}")
    rest = fused(whole, constant(-_LOG2_HIGH), x)
    rest = fused(whole, constant(-_LOG2_LOW), rest)
    series = constant(1 / factorial(_TERMS - 1))
    for n in range(_TERMS - 2, 1, -1):
        series = fused(series, rest, constant(1 / factorial(n)))
    square = c.emit(f"fmul double {rest}, {rest}")
    series = c.emit(f"fadd double {constant(1.0)}, {fused(series, square, rest)}")
    bits = c.emit(f"shl i64 {c.emit(f'bitcast double {shifted} to i64')}, 52")
    scale = c.emit(f"add i64 {bits}, {1023 << 52}")
    return c.emit(f"fmul double {series}, {c.emit(f'bitcast i64 {scale} to double')}")
