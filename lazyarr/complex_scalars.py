"""Products and absolute values of single complex numbers.

Python, and NumPy of its scalars, compute them as written here; NumPy's loops over arrays round otherwise.
"""

from __future__ import annotations

from lazyarr.ir.node import Value
from lazyarr.ir.op import OPS
from lazyarr.ops.elementwise import ELEMENTWISE
from lazyarr.runtime import record


def product(x: Value, y: Value) -> Value:
    """``x * y``, each product and sum rounded."""
    (a, b), (c, d) = _parts(x), _parts(y)
    multiply = ELEMENTWISE["multiply"]
    real = record(ELEMENTWISE["subtract"], record(multiply, a, c), record(multiply, b, d))
    imag = record(ELEMENTWISE["add"], record(multiply, a, d), record(multiply, b, c))
    return record(OPS["complex"], real, imag)


def magnitude(x: Value) -> Value:
    """``abs(x)``."""
    return record(ELEMENTWISE["hypot"], *_parts(x))


def magnitude_fits(x: Value) -> Value:
    """Whether ``abs(x)`` is finite, if `x` is."""
    real, imag, size = (record(ELEMENTWISE["isfinite"], v) for v in (*_parts(x), magnitude(x)))
    finite = record(ELEMENTWISE["logical_and"], real, imag)
    return record(ELEMENTWISE["logical_or"], size, record(ELEMENTWISE["logical_not"], finite))


def _parts(x: Value) -> tuple[Value, Value]:
    return record(OPS["real"], x), record(OPS["imag"], x)
