"""Element-wise operations on elements in registers, with NumPy's results to the bit.

What is not here (half precision, and what NumPy itself computes by elaborate code) runs in NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lazyarr.backends import native_math
from lazyarr.backends.native_complex import COMPLEX
from lazyarr.backends.native_emit import Code, Element, literal, register
from lazyarr.backends.native_integer import INTEGER
from lazyarr.backends.native_storage import Generate
from lazyarr.ir.node import Node

Generator = Callable[..., Any]


def _binary(op: str) -> Generator:
    return lambda c, t, x, y: c.emit(f"{op} {register(t)} {x}, {y}")


def call(c: Code, function: str, t: np.dtype[Any], *operands: str) -> str:
    """An intrinsic of one dtype throughout."""
    type = register(t)
    name = f"@llvm.{function}.{'f' if t.kind == 'f' else 'i'}{8 * t.itemsize}"
    c.module.declare(name, f"declare {type} {name}({', '.join([type] * len(operands))})")
    return c.emit(f"call {type} {name}({', '.join(f'{type} {x}' for x in operands)})")


def _intrinsic(function: str) -> Generator:
    return lambda c, t, *operands: call(c, function, t, *operands)


def _compare(predicate: str) -> Generator:
    return lambda c, t, x, y: c.emit(f"fcmp {predicate} {register(t)} {x}, {y}")


def _choose(c: Code, t: np.dtype[Any], condition: str, x: str, y: str) -> str:
    return c.emit(f"select i1 {condition}, {register(t)} {x}, {register(t)} {y}")


def _extremum(predicate: str, nan: int) -> Generator:
    """Of two equal numbers the second, as NumPy's vector loops have it; operand `nan` if that is NaN."""

    def generate(c: Code, t: np.dtype[Any], x: str, y: str) -> str:
        if t.itemsize == 2:
            raise AssertionError("half precision runs in NumPy")
        first = c.emit(f"fcmp {predicate} {register(t)} {x}, {y}")
        which = (x, y)[nan]
        unordered = c.emit(f"fcmp uno {register(t)} {which}, {which}")
        return _choose(c, t, c.emit(f"or i1 {first}, {unordered}"), x, y)

    return generate


def _clip(c: Code, t: np.dtype[Any], x: str, low: str, high: str) -> str:
    return str(_extremum("olt", 0)(c, t, _extremum("ogt", 0)(c, t, x, low), high))


def _constant(t: np.dtype[Any], value: float) -> str:
    return literal(value, t)[0]


def _sign(c: Code, t: np.dtype[Any], x: str) -> str:
    type, zero = register(t), _constant(t, 0)
    positive, negative = (c.emit(f"fcmp {p} {type} {x}, {zero}") for p in ("ogt", "olt"))
    nan = c.emit(f"fcmp uno {type} {x}, {x}")
    rest = _choose(c, t, negative, _constant(t, -1), _choose(c, t, nan, x, zero))
    return _choose(c, t, positive, _constant(t, 1), rest)


def _magnitude(predicate: str) -> Generator:
    def generate(c: Code, t: np.dtype[Any], x: str) -> str:
        return c.emit(f"fcmp {predicate} {register(t)} {call(c, 'fabs', t, x)}, {_constant(t, np.inf)}")

    return generate


def _signbit(c: Code, t: np.dtype[Any], x: str) -> str:
    bits = f"i{8 * t.itemsize}"
    return c.emit(f"icmp slt {bits} {c.emit(f'bitcast {register(t)} {x} to {bits}')}, 0")


def _scaled(factor: Callable[[type[Any]], Any]) -> Generator:
    return lambda c, t, x: c.emit(f"fmul {register(t)} {x}, {_constant(t, factor(t.type))}")


def _heaviside(c: Code, t: np.dtype[Any], x: str, y: str) -> str:
    type, zero = register(t), _constant(t, 0)
    nan = c.emit(f"fcmp uno {type} {x}, {x}")
    above, is_zero = c.emit(f"fcmp ogt {type} {x}, {zero}"), c.emit(f"fcmp oeq {type} {x}, {zero}")
    found = _choose(c, t, is_zero, y, _choose(c, t, above, _constant(t, 1), zero))
    return _choose(c, t, nan, x, found)


def _remainders(c: Code, t: np.dtype[Any], x: str, y: str) -> tuple[str, str]:
    """NumPy's floor_divide and remainder of floats."""
    type, zero = register(t), _constant(t, 0)
    rest = c.emit(f"frem {type} {x}, {y}")
    divided = c.emit(f"fdiv {type} {x}, {y}")
    quotient = c.emit(f"fdiv {type} {c.emit(f'fsub {type} {x}, {rest}')}, {y}")
    nonzero = c.emit(f"fcmp une {type} {rest}, {zero}")
    unlike = c.emit(f"xor i1 {c.emit(f'fcmp olt {type} {y}, {zero}')}, {c.emit(f'fcmp olt {type} {rest}, {zero}')}")
    adjust = c.emit(f"and i1 {nonzero}, {unlike}")
    modulo = _choose(c, t, adjust, c.emit(f"fadd {type} {rest}, {y}"), rest)
    modulo = _choose(c, t, nonzero, modulo, call(c, "copysign", t, zero, y))
    quotient = _choose(c, t, adjust, c.emit(f"fsub {type} {quotient}, {_constant(t, 1)}"), quotient)
    floor = call(c, "floor", t, quotient)
    above = c.emit(f"fcmp ogt {type} {c.emit(f'fsub {type} {quotient}, {floor}')}, {_constant(t, 0.5)}")
    floor = _choose(c, t, above, c.emit(f"fadd {type} {floor}, {_constant(t, 1)}"), floor)
    whole = c.emit(f"fcmp une {type} {quotient}, {zero}")
    floor = _choose(c, t, whole, floor, call(c, "copysign", t, zero, divided))
    by_zero = c.emit(f"fcmp oeq {type} {y}, {zero}")
    return _choose(c, t, by_zero, divided, floor), _choose(c, t, by_zero, rest, modulo)


_RealTable = dict[str, Generator]
#: On floats of 32 and 64 bits.
FLOAT: _RealTable = {
    "add": _binary("fadd"), "subtract": _binary("fsub"), "multiply": _binary("fmul"), "divide": _binary("fdiv"),
    "negative": lambda c, t, x: c.emit(f"fneg {register(t)} {x}"), "positive": lambda c, t, x: x,
    "absolute": _intrinsic("fabs"), "fabs": _intrinsic("fabs"), "sqrt": _intrinsic("sqrt"),
    "square": lambda c, t, x: c.emit(f"fmul {register(t)} {x}, {x}"),
    "reciprocal": lambda c, t, x: c.emit(f"fdiv {register(t)} {_constant(t, 1)}, {x}"),
    "floor": _intrinsic("floor"), "ceil": _intrinsic("ceil"), "trunc": _intrinsic("trunc"), "rint": _intrinsic("rint"),
    "conjugate": lambda c, t, x: x, "copysign": _intrinsic("copysign"), "sign": _sign, "signbit": _signbit,
    "maximum": _extremum("ogt", 0), "minimum": _extremum("olt", 0), "fmax": _extremum("ogt", 1),
    "fmin": _extremum("olt", 1), "clip": _clip, "heaviside": _heaviside,
    "isnan": lambda c, t, x: c.emit(f"fcmp uno {register(t)} {x}, {x}"),
    "isinf": _magnitude("oeq"), "isfinite": _magnitude("olt"),
    "equal": _compare("oeq"), "not_equal": _compare("une"), "less": _compare("olt"), "less_equal": _compare("ole"),
    "greater": _compare("ogt"), "greater_equal": _compare("oge"),
    "floor_divide": lambda c, t, x, y: _remainders(c, t, x, y)[0],
    "remainder": lambda c, t, x, y: _remainders(c, t, x, y)[1],
    "divmod": lambda c, t, x, y: tuple((r,) for r in _remainders(c, t, x, y)),
    "fmod": lambda c, t, x, y: c.emit(f"frem {register(t)} {x}, {y}"),
    "deg2rad": _scaled(lambda f: f(np.pi) / f(180)), "radians": _scaled(lambda f: f(np.pi) / f(180)),
    "rad2deg": _scaled(lambda f: f(180) / f(np.pi)), "degrees": _scaled(lambda f: f(180) / f(np.pi)),
    **native_math.FUNCTIONS,
}  # fmt: skip


def truth(c: Code, t: np.dtype[Any], x: Element) -> str:
    """Whether an element is not zero; NaN is not."""
    if t.kind == "b":
        return x[0]
    if t.kind in "iu":
        return c.emit(f"icmp ne {register(t)} {x[0]}, 0")
    parts = [c.emit(f"fcmp une {register(t)} {p}, {'0xH0000' if t.itemsize == 2 else '0.0'}") for p in x]
    return parts[0] if len(parts) == 1 else c.emit(f"or i1 {parts[0]}, {parts[1]}")


_LOGICAL = {"logical_and": "and", "logical_or": "or", "logical_xor": "xor"}
_BOOL = {"add": "or", "multiply": "and", "maximum": "or", "minimum": "and", "fmax": "or", "fmin": "and",
         "bitwise_and": "and", "bitwise_or": "or", "bitwise_xor": "xor", "not_equal": "xor"}  # fmt: skip
_BOOL_COMPARE = {"equal": "eq", "less": "ult", "less_equal": "ule", "greater": "ugt", "greater_equal": "uge"}


def _boolean(name: str) -> Generator | None:
    if name in _BOOL:
        return lambda c, t, x, y: c.emit(f"{_BOOL[name]} i1 {x}, {y}")
    if name in _BOOL_COMPARE:
        return lambda c, t, x, y: c.emit(f"icmp {_BOOL_COMPARE[name]} i1 {x}, {y}")
    if name == "invert":
        return lambda c, t, x: c.emit(f"xor i1 {x}, true")
    if name in ("absolute", "positive", "conjugate", "floor", "ceil", "trunc"):
        return lambda c, t, x: x
    return None


def combine(kind: str, t: np.dtype[Any]) -> Callable[[Code, Element, Element], Element] | None:
    """A binary ufunc on elements of one dtype that gives that dtype; None where NumPy has to run it."""
    table = COMPLEX if t.kind == "c" else {}
    if kind in _LOGICAL:
        return lambda c, x, y: (c.emit(f"{_LOGICAL[kind]} i1 {truth(c, t, x)}, {truth(c, t, y)}"),)
    if t.kind == "c":
        found = table.get(kind)
        return None if found is None else lambda c, x, y: found(c, t, x, y)
    real = _table(t, kind)
    return None if real is None else lambda c, x, y: (real(c, t, x[0], y[0]),)


def _table(t: np.dtype[Any], name: str) -> Generator | None:
    if t.kind == "b":
        return _boolean(name)
    if t.kind in "iu":
        return INTEGER.get(name)
    return FLOAT.get(name) if t.itemsize > 2 else None


def generator(node: Node) -> Generate | None:
    """What computes the results of an element-wise node from its operands' elements; None where NumPy has to."""
    from lazyarr.backends import native_cast

    name = node.op.name
    types = [v.type.dtype for v in node.operands]
    made = native_cast.generator(node)
    if made is not None:
        return made
    if not types:
        return None
    t = types[0]
    if name == "select":
        return lambda c, xs: (c.select(xs[0][0], types[1], xs[1], xs[2]),)
    if name in _LOGICAL:
        return lambda c, xs: ((c.emit(f"{_LOGICAL[name]} i1 {truth(c, t, xs[0])}, {truth(c, types[1], xs[1])}"),),)
    if name == "logical_not":
        return lambda c, xs: ((c.emit(f"xor i1 {truth(c, t, xs[0])}, true"),),)
    if name == "power" and t.kind == "f" and t.itemsize > 2 and node.operands[1].type.shape == ():
        return lambda c, xs: ((_power_by_scalar(c, t, xs[0][0], xs[1][0]),),)
    if any(u != t for u in types):
        return None
    if t.kind == "c":
        found = COMPLEX.get(name)
        return None if found is None else lambda c, xs: (found(c, t, *xs),)
    real = _table(t, name)
    if real is None:
        return None
    if len(node.types) > 1:
        return lambda c, xs: tuple(real(c, t, *(x[0] for x in xs)))
    return lambda c, xs: ((real(c, t, *(x[0] for x in xs)),),)


#: Powers that are products, 1 to 2.5 units in the last place from the power: of which smaller powers.
_PRODUCTS = {3: (2, 1), 4: (2, 2), 5: (4, 1), 6: (3, 3)}


def _product(c: Code, t: np.dtype[Any], x: str, squared: str, factors: tuple[int, int]) -> str:
    """``x ** n`` as the product of two smaller powers."""
    known = {1: x, 2: squared}
    for n in factors:
        if n not in known:
            known[n] = _product(c, t, x, squared, _PRODUCTS[n])
    return c.emit(f"fmul {register(t)} {known[factors[0]]}, {known[factors[1]]}")


#: Powers that are quotients and square roots, as exact as those: whether 1 is divided by what `x` is a factor of, how
#: often, and whether its square root is one, too.
_ROOTED = {1.5: (False, 1, True), 2.5: (False, 2, True), -0.5: (True, 0, True), -1.5: (True, 1, True),
           -2.5: (True, 2, True), -1.0: (True, 1, False), -2.0: (True, 2, False)}  # fmt: skip


def _rooted(c: Code, t: np.dtype[Any], x: str, divided: bool, times: int, root: bool) -> str:
    """``x ** n``, by one factor after the other: nothing on the way overflows or underflows if the power does not."""
    type = register(t)
    if root:
        # A power that is not whole is the same of zeros of either sign, and of infinities.
        x = c.emit(f"fadd {type} {x}, {_constant(t, 0)}")
        infinite = c.emit(f"fcmp oeq {type} {x}, {_constant(t, -np.inf)}")
        x = c.emit(f"select i1 {infinite}, {type} {_constant(t, np.inf)}, {type} {x}")
    factors = [x] * times + ([str(_intrinsic("sqrt")(c, t, x))] if root else [])
    found = _constant(t, 1) if divided else factors.pop(0)
    for factor in factors:
        found = c.emit(f"{'fdiv' if divided else 'fmul'} {type} {found}, {factor}")
    return found


def _power_by_scalar(c: Code, t: np.dtype[Any], x: str, exponent: str) -> str:
    """NumPy multiplies where the exponent is the scalar 2, and takes the square root where it is 0.5."""
    two = _constant(t, 2)
    squared = c.emit(f"fmul {register(t)} {x}, {x}")
    half, root = _constant(t, 0.5), str(_intrinsic("sqrt")(c, t, x))
    if exponent in (two, half):
        return squared if exponent == two else root
    if not exponent.startswith("%"):
        for n, factors in _PRODUCTS.items():
            if exponent == _constant(t, n) and not c.exact:
                return _product(c, t, x, squared, factors)
        for power, rooted in _ROOTED.items():
            if exponent == _constant(t, power) and not c.exact:
                return _rooted(c, t, x, *rooted)
        return str(native_math.FUNCTIONS["power"](c, t, x, exponent))
    is_two, is_half = (c.emit(f"fcmp oeq {register(t)} {exponent}, {n}") for n in (two, half))
    other = _choose(c, t, is_half, root, str(native_math.FUNCTIONS["power"](c, t, x, exponent)))
    return _choose(c, t, is_two, squared, other)
