"""Element-wise operations on integers: wrapping arithmetic, Python's division, NumPy's shifts; and exact arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lazyarr.backends.native_emit import Code, Index, register
from lazyarr.backends.native_storage import Generate, Scalar, Storage

Generator = Callable[..., Any]


def _binary(op: str) -> Generator:
    return lambda c, t, x, y: c.emit(f"{op} {register(t)} {x}, {y}")


def _compare(predicate: str) -> Generator:
    """A comparison; `predicate` without its sign letter."""

    def generate(c: Code, t: np.dtype[Any], x: str, y: str) -> str:
        return c.emit(f"icmp {_signed(t, predicate)} {register(t)} {x}, {y}")

    return generate


def _signed(t: np.dtype[Any], predicate: str) -> str:
    return predicate if predicate in ("eq", "ne") else ("s" if t.kind == "i" else "u") + predicate


def _select(c: Code, t: np.dtype[Any], condition: str, x: str, y: str) -> str:
    return c.emit(f"select i1 {condition}, {register(t)} {x}, {register(t)} {y}")


def _extremum(predicate: str) -> Generator:
    def generate(c: Code, t: np.dtype[Any], x: str, y: str) -> str:
        return _select(c, t, _compare(predicate)(c, t, x, y), x, y)

    return generate


def _clip(c: Code, t: np.dtype[Any], x: str, low: str, high: str) -> str:
    return str(_extremum("lt")(c, t, _extremum("gt")(c, t, x, low), high))


def _absolute(c: Code, t: np.dtype[Any], x: str) -> str:
    if t.kind == "u":
        return x
    negative = c.emit(f"icmp slt {register(t)} {x}, 0")
    return _select(c, t, negative, c.emit(f"sub {register(t)} 0, {x}"), x)


def _sign(c: Code, t: np.dtype[Any], x: str) -> str:
    positive = c.emit(f"icmp {_signed(t, 'gt')} {register(t)} {x}, 0")
    one = c.emit(f"zext i1 {positive} to {register(t)}")
    if t.kind == "u":
        return one
    return _select(c, t, c.emit(f"icmp slt {register(t)} {x}, 0"), "-1", one)


def _divided(c: Code, t: np.dtype[Any], x: str, y: str) -> tuple[str, str, str]:
    """Quotient and remainder as C has them, of a divisor made safe; and whether the divisor was zero."""
    type = register(t)
    zero = c.emit(f"icmp eq {type} {y}, 0")
    if t.kind == "u":
        safe = _select(c, t, zero, "1", y)
        return c.emit(f"udiv {type} {x}, {safe}"), c.emit(f"urem {type} {x}, {safe}"), zero
    # The smallest integer by -1 traps; by 1 and negated it wraps.
    minus = c.emit(f"icmp eq {type} {y}, -1")
    safe = _select(c, t, c.emit(f"or i1 {zero}, {minus}"), "1", y)
    quotient, rest = c.emit(f"sdiv {type} {x}, {safe}"), c.emit(f"srem {type} {x}, {safe}")
    quotient = _select(c, t, minus, c.emit(f"sub {type} 0, {x}"), quotient)
    return quotient, rest, zero


def _divmod(c: Code, t: np.dtype[Any], x: str, y: str) -> tuple[str, str]:
    """Rounded down; zero by zero divisors."""
    type = register(t)
    if y.isdecimal() and int(y).bit_count() == 1:
        # By a power of two, of either sign: bits.
        shift = "ashr" if t.kind == "i" else "lshr"
        return c.emit(f"{shift} {type} {x}, {int(y).bit_length() - 1}"), c.emit(f"and {type} {x}, {int(y) - 1}")
    quotient, rest, zero = _divided(c, t, x, y)
    if t.kind == "i":
        unlike = c.emit(f"icmp slt {type} {c.emit(f'xor {type} {rest}, {y}')}, 0")
        adjust = c.emit(f"and i1 {unlike}, {c.emit(f'icmp ne {type} {rest}, 0')}")
        quotient = c.emit(f"sub {type} {quotient}, {c.emit(f'zext i1 {adjust} to {type}')}")
        rest = _select(c, t, adjust, c.emit(f"add {type} {rest}, {y}"), rest)
    return _select(c, t, zero, "0", quotient), _select(c, t, zero, "0", rest)


def _fmod(c: Code, t: np.dtype[Any], x: str, y: str) -> str:
    _, rest, zero = _divided(c, t, x, y)
    return _select(c, t, zero, "0", rest)


def _shift(left: bool) -> Generator:
    def generate(c: Code, t: np.dtype[Any], x: str, y: str) -> str:
        type, bits = register(t), 8 * t.itemsize
        inside = c.emit(f"icmp ult {type} {y}, {bits}")
        safe = _select(c, t, inside, y, "0")
        if left:
            return _select(c, t, inside, c.emit(f"shl {type} {x}, {safe}"), "0")
        if t.kind == "u":
            return _select(c, t, inside, c.emit(f"lshr {type} {x}, {safe}"), "0")
        sign = c.emit(f"ashr {type} {x}, {bits - 1}")
        return _select(c, t, inside, c.emit(f"ashr {type} {x}, {safe}"), sign)

    return generate


def _power(c: Code, t: np.dtype[Any], x: str, y: str) -> str:
    """Wrapping; negative exponents have failed a check."""
    if y in ("2", "3"):
        square = c.emit(f"mul {register(t)} {x}, {x}")
        return square if y == "2" else c.emit(f"mul {register(t)} {square}, {x}")
    type = register(t)
    name = f"integer_power_{type}"
    c.module.declare(name, f"""define internal {type} @{name}({type} %x, {type} %y) nounwind willreturn memory(none) {{
entry:
  br label %head
head:
  %base = phi {type} [ %x, %entry ], [ %squared, %body ]
  %left = phi {type} [ %y, %entry ], [ %half, %body ]
  %result = phi {type} [ 1, %entry ], [ %next, %body ]
  %more = icmp ne {type} %left, 0
  br i1 %more, label %body, label %end
body:
  %bit = and {type} %left, 1
  %odd = icmp ne {type} %bit, 0
  %product = mul {type} %result, %base
  %next = select i1 %odd, {type} %product, {type} %result
  %squared = mul {type} %base, %base
  %half = lshr {type} %left, 1
  br label %head
end:
  ret {type} %result
}}""")
    return c.emit(f"call {type} @{name}({type} {x}, {type} {y})")


def _bitcount(c: Code, t: np.dtype[Any], x: str) -> str:
    type = register(t)
    name = f"@llvm.ctpop.{type}"
    c.module.declare(name, f"declare {type} {name}({type})")
    found = c.emit(f"call {type} {name}({type} {_absolute(c, t, x)})")
    return found if type == "i8" else c.emit(f"trunc {type} {found} to i8")


def _same(c: Code, t: np.dtype[Any], x: str) -> str:
    return x


def _constant(value: str) -> Generator:
    return lambda c, t, x: value


INTEGER: dict[str, Generator] = {
    "add": _binary("add"), "subtract": _binary("sub"), "multiply": _binary("mul"),
    "negative": lambda c, t, x: c.emit(f"sub {register(t)} 0, {x}"), "positive": _same, "conjugate": _same,
    "floor": _same, "ceil": _same, "trunc": _same, "absolute": _absolute, "sign": _sign,
    "square": lambda c, t, x: c.emit(f"mul {register(t)} {x}, {x}"), "power": _power,
    "maximum": _extremum("gt"), "minimum": _extremum("lt"), "fmax": _extremum("gt"), "fmin": _extremum("lt"),
    "clip": _clip, "bitwise_and": _binary("and"), "bitwise_or": _binary("or"), "bitwise_xor": _binary("xor"),
    "invert": lambda c, t, x: c.emit(f"xor {register(t)} {x}, -1"), "left_shift": _shift(True),
    "right_shift": _shift(False), "floor_divide": lambda c, t, x, y: _divmod(c, t, x, y)[0],
    "remainder": lambda c, t, x, y: _divmod(c, t, x, y)[1],
    "divmod": lambda c, t, x, y: tuple((r,) for r in _divmod(c, t, x, y)), "fmod": _fmod,
    "bitwise_count": _bitcount, "isnan": _constant("false"), "isinf": _constant("false"),
    "isfinite": _constant("true"),
    "equal": _compare("eq"), "not_equal": _compare("ne"), "less": _compare("lt"), "less_equal": _compare("le"),
    "greater": _compare("gt"), "greater_equal": _compare("ge"),
}  # fmt: skip

_POWER = """define internal { i64, i1 } @exact_power(i64 %a, i64 %b) nounwind willreturn memory(none) {
entry:
  br label %head
head:
  %left = phi i64 [ %b, %entry ], [ %next_left, %body ]
  %result = phi i64 [ 1, %entry ], [ %product, %body ]
  %bad = phi i1 [ false, %entry ], [ %next_bad, %body ]
  %more = icmp sgt i64 %left, 0
  br i1 %more, label %body, label %end
body:
  %both = call { i64, i1 } @llvm.smul.with.overflow.i64(i64 %result, i64 %a)
  %product = extractvalue { i64, i1 } %both, 0
  %over = extractvalue { i64, i1 } %both, 1
  %next_bad = or i1 %bad, %over
  %next_left = sub nsw i64 %left, 1
  br label %head
end:
  %first = insertvalue { i64, i1 } undef, i64 %result, 0
  %second = insertvalue { i64, i1 } %first, i1 %bad, 1
  ret { i64, i1 } %second
}"""


def _with_overflow(c: Code, kind: str, a: str, b: str) -> tuple[str, str]:
    name = f"@llvm.{kind}.with.overflow.i64"
    c.module.declare(name, f"declare {{ i64, i1 }} {name}(i64, i64)")
    both = c.emit(f"call {{ i64, i1 }} {name}(i64 {a}, i64 {b})")
    return c.emit(f"extractvalue {{ i64, i1 }} {both}, 0"), c.emit(f"extractvalue {{ i64, i1 }} {both}, 1")


def _is_factor(text: str) -> bool:
    """Whether an operand is a known number greater than 1."""
    return text.isdecimal() and int(text) > 1


def exact(c: Code, kind: str, a: str, b: str) -> tuple[tuple[str], tuple[str]]:
    """Python's arithmetic on integers that fit 64 bits: the result (see `EXACT`), and whether it fits."""
    if kind == "multiply" and _is_factor(a):
        a, b = b, a
    if kind == "multiply" and _is_factor(b):
        # Whether a product with a constant fits is seen before it is there.
        most = (2**63 - 1) // int(b)
        least = -(2**63 // int(b))
        value = c.emit(f"mul i64 {a}, {b}")
        bad = c.emit(f"icmp ugt i64 {c.emit(f'sub i64 {a}, {least}')}, {most - least}")
    elif kind in ("add", "subtract", "multiply"):
        name = {"add": "sadd", "subtract": "ssub", "multiply": "smul"}[kind]
        value, bad = _with_overflow(c, name, a, b)
    elif kind == "left_shift":
        inside = c.emit(f"icmp ult i64 {b}, 64")
        safe = c.emit(f"select i1 {inside}, i64 {b}, i64 0")
        value = c.emit(f"shl i64 {a}, {safe}")
        lost = c.emit(f"icmp ne i64 {c.emit(f'ashr i64 {value}, {safe}')}, {a}")
        nothing = c.emit(f"and i1 {c.emit(f'icmp eq i64 {a}, 0')}, {c.emit(f'icmp sgt i64 {b}, 0')}")
        bad = c.emit(f"or i1 {lost}, {c.emit(f'xor i1 {inside}, true')}")
        bad = c.emit(f"select i1 {nothing}, i1 false, i1 {bad}")
        value = c.emit(f"select i1 {nothing}, i64 0, i64 {value}")
    else:
        # Of 0, 1 and -1 a power of 64 or more equals one of its parity below.
        small = c.emit(f"icmp ult i64 {c.emit(f'add i64 {a}, 1')}, 3")
        large = c.emit(f"icmp sge i64 {b}, 64")
        parity = c.emit(f"or i64 {c.emit(f'and i64 {b}, 1')}, 2")
        exponent = c.emit(f"select i1 {large}, i64 {parity}, i64 {b}")
        c.module.declare("@llvm.smul.with.overflow.i64",
                         "declare { i64, i1 } @llvm.smul.with.overflow.i64(i64, i64)")  # fmt: skip
        c.module.declare("exact_power", _POWER)
        both = c.emit(f"call {{ i64, i1 }} @exact_power(i64 {a}, i64 {exponent})")
        value = c.emit(f"extractvalue {{ i64, i1 }} {both}, 0")
        over = c.emit(f"extractvalue {{ i64, i1 }} {both}, 1")
        huge = c.emit(f"and i1 {large}, {c.emit(f'xor i1 {small}, true')}")
        negative = c.emit(f"icmp slt i64 {b}, 0")
        bad = c.emit(f"or i1 {c.emit(f'or i1 {over}, {huge}')}, {negative}")
    if kind in ("left_shift", "power"):
        value = c.emit(f"select i1 {bad}, i64 0, i64 {value}")
    return (value,), (c.emit(f"xor i1 {bad}, true"),)


def ramp(c: Code, name: str, given: list[Storage]) -> tuple[Index, Index] | None:
    """The even growth of ``ramp + scalar``, ``scalar * ramp`` and the like."""
    if name not in ("add", "subtract", "multiply") or given[0].dtype != np.int64:
        return None
    x, y = given
    ramp, scalar = (x.ramp, y) if isinstance(y, Scalar) else (y.ramp, x)
    if ramp is None or not isinstance(scalar, Scalar) or (name == "subtract" and scalar is x):
        return None
    # Not the arithmetic of indices within arrays: this may wrap.
    op, value = {"add": "add", "subtract": "sub", "multiply": "mul"}[name], scalar.value[0]
    start = c.emit(f"{op} i64 {ramp[0]}, {value}")
    return start, c.emit(f"mul i64 {ramp[1]}, {value}") if name == "multiply" else ramp[1]


def whole_division(name: str, given: list[Storage], generate: Generate) -> tuple[tuple[int, int] | None, Generate]:
    """What is known of indices divided by a constant: limits of the result, and simpler code where none is negative."""
    x, y = given
    if x.dtype != np.int64 or not isinstance(y, Scalar) or not y.value[0].isdecimal() or y.value[0] == "0":
        return None, generate
    divisor = int(y.value[0])
    if x.limits is None or x.limits[0] < 0:
        return ((0, divisor - 1) if name == "remainder" else None), generate
    if name == "remainder":
        return (0, min(divisor - 1, x.limits[1])), lambda c, xs: ((c.emit(f"urem i64 {xs[0][0]}, {divisor}"),),)
    quotients = (x.limits[0] // divisor, x.limits[1] // divisor)
    return quotients, lambda c, xs: ((c.emit(f"udiv i64 {xs[0][0]}, {divisor}"),),)
