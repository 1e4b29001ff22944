"""The arithmetic of computed Python scalars: each operator and function as Python has it.

Importing this module gives `ComputedScalar` its operators.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from lazyarr import complex_scalars, scalar_powers, soft
from lazyarr.array import LazyArray
from lazyarr.computed import (
    HIGHEST,
    LOWEST,
    RANK,
    ComputedScalar,
    Terms,
    compare,
    computed,
    convert,
    floor_of,
    guard_exact,
    is_number,
    kind_of,
    lowest,
    number_of,
)
from lazyarr.ir.op import OPS
from lazyarr.ops.elementwise import ELEMENTWISE
from lazyarr.ops.python_math import PYTHON_MATH
from lazyarr.runtime import NotCaptured, guard, record, record_all
from lazyarr.weak import is_users_number, pythons, reflected

_UFUNC = {"add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
          "mod": "remainder", "pow": "power", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
          "lshift": "left_shift", "rshift": "right_shift"}  # fmt: skip
_COMPARISON = {"eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater",
               "ge": "greater_equal"}  # fmt: skip


def _arithmetic(name: str, left: Any, right: Any) -> Any:
    """A binary operator of two Python numbers, of which at least one is computed."""
    a, b = computed(left), computed(right)
    soft.settle_kinds(a, b)
    kind = max(a.kind, b.kind, key=RANK.__getitem__)
    if name in ("and", "or", "xor", "lshift", "rshift"):
        if kind in (float, complex):
            raise TypeError(f"unsupported operand type(s) for a bitwise operation: '{a.kind.__name__}' and "
                            f"'{b.kind.__name__}'")  # fmt: skip
        if kind is bool and name in ("and", "or", "xor"):
            return ComputedScalar(record(ELEMENTWISE[_UFUNC[name]], a.value, b.value), bool)
        return _bits(name, convert(a, int), convert(b, int))
    if kind in (bool, int) and name != "truediv":
        return _integer(name, a, b)
    if kind is complex:
        return _complex(name, a, b)
    return _float(name, a, b)


def _range_of(name: str, a: ComputedScalar, b: ComputedScalar) -> tuple[int, int]:
    """In which range the sum, difference or product of two ints is."""
    if name == "add":
        return a.low + b.low, a.high + b.high
    if name == "sub":
        return a.low - b.high, a.high - b.low
    corners = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    return min(corners), max(corners)


def _integer(name: str, left: Any, right: Any) -> Any:
    a, b = convert(left, int), convert(right, int)
    if name in ("add", "sub", "mul"):
        return _ring(name, a, b)
    if name == "pow":
        return _power(a, b)
    if b.low <= 0 <= b.high:
        guard(compare("not_equal", b.value, 0), "an integer is divided by something else than 0")
    if a.low == LOWEST and b.low <= -1 <= b.high:
        guard(compare("not_equal", b.value, -1), "a quotient fits 64 bits")
    value = record(ELEMENTWISE[_UFUNC[name]], a.value, b.value)
    if name == "mod":
        return ComputedScalar(value, int, low=min(b.low + 1, 0), high=max(b.high - 1, 0))
    if b.low > 0:
        corners = [x // y for x in (a.low, a.high) for y in (b.low, b.high)]
        return ComputedScalar(value, int, low=min(corners), high=max(corners))
    return ComputedScalar(value, int)


def _ring(name: str, a: ComputedScalar, b: ComputedScalar) -> Any:
    """Sum, difference or product; affine forms stay affine."""
    low, high = _range_of(name, a, b)
    terms: Terms | None = None
    constant = 0
    if name != "mul":
        sign = 1 if name == "add" else -1
        terms = dict(a.terms)
        for atom, factor in b.terms.items():
            terms[atom] = terms.get(atom, 0) + sign * factor
        terms = {atom: factor for atom, factor in terms.items() if factor}
        constant = a.constant + sign * b.constant
    elif not a.terms or not b.terms:
        fixed, other = (a.constant, b) if not a.terms else (b.constant, a)
        terms = {atom: factor * fixed for atom, factor in other.terms.items() if fixed}
        constant = other.constant * fixed
    if terms is not None:
        low = max(low, lowest(terms, constant))
        high = min(high, -lowest({atom: -c for atom, c in terms.items()}, -constant))
        if not terms:
            return constant
    if LOWEST <= low and high <= HIGHEST:
        value = record(ELEMENTWISE[_UFUNC[name]], a.value, b.value)
    else:
        value, fits = record_all(OPS["exact"], a.value, b.value, kind=_UFUNC[name])
        guard(fits, "an integer fits 64 bits")
        low, high = max(low, LOWEST), min(high, HIGHEST)
    return ComputedScalar(value, int, terms, constant, low, high)


def _power(a: ComputedScalar, b: ComputedScalar) -> Any:
    if b.low < 0:
        if b.high < 0:
            return _float("pow", convert(a, float), convert(b, float))
        guard(compare("greater_equal", b.value, 0), "an integer power is of a non-negative exponent")
    if not b.terms and b.constant in (0, 1, 2, 3):
        return 1 if b.constant == 0 else a if b.constant == 1 else a * a if b.constant == 2 else a * a * a
    value, fits = record_all(OPS["exact"], a.value, b.value, kind="power")
    guard(fits, "an integer power fits 64 bits")
    return ComputedScalar(value, int, low=0 if a.low >= 0 else LOWEST)


def _bits(name: str, a: ComputedScalar, b: ComputedScalar) -> Any:
    if name in ("lshift", "rshift") and b.low < 0:
        guard(compare("greater_equal", b.value, 0), "a shift count is not negative")
    if name == "lshift":
        low, high = a.low, a.high
        if 0 <= b.high < 64 and LOWEST <= (low << b.high) and (high << b.high) <= HIGHEST:
            value = record(ELEMENTWISE["left_shift"], a.value, b.value)
            return ComputedScalar(value, int, low=min(low << b.high, low), high=max(high << b.high, high))
        value, fits = record_all(OPS["exact"], a.value, b.value, kind="left_shift")
        guard(fits, "an integer fits 64 bits")
        return ComputedScalar(value, int, low=0 if low >= 0 else LOWEST)
    value = record(ELEMENTWISE[_UFUNC[name]], a.value, b.value)
    if name == "rshift":
        least = max(b.low, 0)
        by = min(least, 63)
        return ComputedScalar(value, int, low=min(a.low, a.low >> by), high=max(a.high >> by, 0))
    if name == "and":
        if a.low >= 0 or b.low >= 0:
            highs = [x.high for x in (a, b) if x.low >= 0]
            return ComputedScalar(value, int, low=0, high=min(highs))
        return ComputedScalar(value, int)
    if a.low >= 0 and b.low >= 0:
        return ComputedScalar(value, int, low=0, high=(1 << max(a.high, b.high).bit_length()) - 1)
    return ComputedScalar(value, int)


def _float(name: str, a: ComputedScalar, b: ComputedScalar) -> Any:
    if name == "truediv" and a.kind is not float and b.kind is not float:
        # Python divides ints exactly and rounds once: the same while both are exact floats.
        for number in (a, b):
            guard_exact(convert(number, int))
    x, y = a.as_kind(float), b.as_kind(float)
    if name in ("truediv", "floordiv", "mod") and not (b.kind is int and not b.low <= 0 <= b.high):
        guard(compare("not_equal", y, 0.0), "a number is divided by something else than 0")
    value = record(ELEMENTWISE[_UFUNC[name]], scalar_powers.as_pow(x, y) if name == "pow" else x, y)
    if name == "pow":
        finite = record(ELEMENTWISE["isfinite"], value)
        guard(finite, "a power is a finite number")
    return ComputedScalar(value, float)


def _complex(name: str, a: ComputedScalar, b: ComputedScalar) -> Any:
    if name not in ("add", "sub", "mul"):
        raise NotCaptured("a quotient or power of computed Python complex numbers")
    x, y = a.as_kind(complex), b.as_kind(complex)
    value = complex_scalars.product(x, y) if name == "mul" else record(ELEMENTWISE[_UFUNC[name]], x, y)
    return ComputedScalar(value, complex)


def _ordered(name: str, left: Any, right: Any) -> Any:
    """A comparison of two Python numbers: a bool where ranges decide, or a computed one."""
    a, b = computed(left), computed(right)
    kind = max(a.kind, b.kind, key=RANK.__getitem__)
    if kind in (bool, int):
        a, b = convert(a, int), convert(b, int)
        known = _decided(name, _ring("sub", a, b) if _may_subtract(a, b) else None)
        if known is not None:
            return known
    elif int in (a.kind, b.kind):
        whole = a if a.kind is int else b
        guard_exact(whole)
    if kind is complex and name not in ("eq", "ne"):
        raise TypeError(f"'{name}' not supported between instances of '{a.kind.__name__}' and '{b.kind.__name__}'")
    return ComputedScalar(record(ELEMENTWISE[_COMPARISON[name]], a.as_kind(kind), b.as_kind(kind)), bool)


def _may_subtract(a: ComputedScalar, b: ComputedScalar) -> bool:
    return a.low - b.high >= LOWEST and a.high - b.low <= HIGHEST


def _decided(name: str, difference: Any) -> bool | None:
    """What a comparison with 0 gives, if the range of the difference says so."""
    if difference is None:
        return None
    low, high = (difference, difference) if type(difference) is int else (difference.low, difference.high)
    if name in ("lt", "ge") and (high < 0 or low >= 0):
        return (high < 0) == (name == "lt")
    if name in ("gt", "le") and (low > 0 or high <= 0):
        return (low > 0) == (name == "gt")
    if name in ("eq", "ne"):
        if low > 0 or high < 0:
            return name == "ne"
        if low == high == 0:
            return name == "eq"
    return None


def with_array(function: Callable[..., Any], left: Any, right: Any) -> Any:
    """A computed scalar with something that is no Python number."""
    if isinstance(left, LazyArray) or isinstance(right, LazyArray):
        return NotImplemented
    from lazyarr.convert import as_lazy

    if isinstance(right, (np.generic, np.ndarray)):
        return function(left, as_lazy(right))
    if isinstance(left, (np.generic, np.ndarray)):
        return function(as_lazy(left), right)
    return NotImplemented


_USERS = "a computed number meets one of the user's class"


def _binary(name: str, function: Callable[..., Any], rule: Callable[..., Any]) -> None:
    others = reflected(name)

    def forward(self: ComputedScalar, other: Any) -> Any:
        if is_users_number(other):
            plain = pythons(other, others)
            if plain is None:
                return function(self._looked_at(_USERS), other)
            other = plain
        return rule(name, self, other) if is_number(other) else with_array(function, self, other)

    def backward(self: ComputedScalar, other: Any) -> Any:
        if is_users_number(other):
            plain = pythons(other, f"__{name}__")
            if plain is None:
                return function(other, self._looked_at(_USERS))
            other = plain
        return rule(name, other, self) if is_number(other) else with_array(function, other, self)

    setattr(ComputedScalar, f"__{name}__", forward)
    if rule is _arithmetic:
        setattr(ComputedScalar, f"__r{name}__", backward)


for _name in _UFUNC:
    _binary(_name, getattr(operator, _name + "_" if _name in ("and", "or") else _name), _arithmetic)
for _name in _COMPARISON:
    _binary(_name, getattr(operator, _name), _ordered)

#: Functions of `math` that are ufuncs; where a result is not finite, Python's function may raise.
_MATH = {"sqrt": "sqrt", "exp": "exp", "log": "log", "log2": "log2", "log10": "log10", "log1p": "log1p",
         "expm1": "expm1", "sin": "sin", "cos": "cos", "tan": "tan", "asin": "arcsin", "acos": "arccos",
         "atan": "arctan", "atan2": "arctan2", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "asinh": "arcsinh",
         "acosh": "arccosh", "atanh": "arctanh", "fabs": "fabs", "hypot": "hypot", "copysign": "copysign",
         "pow": "power", "degrees": "degrees", "radians": "radians", "cbrt": "cbrt", "exp2": "exp2",
         "fmod": "fmod"}  # fmt: skip
_TESTS = {"isnan": "isnan", "isinf": "isinf", "isfinite": "isfinite"}


def computes(function: Callable[..., Any]) -> bool:
    """Whether `math_call` can compute a function."""
    name = getattr(function, "__name__", "")
    known = name in ("floor", "ceil", "trunc") or name in _MATH or name in _TESTS or name in PYTHON_MATH
    return known and function is getattr(math, name, None)


def math_call(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """A function of `math` of numbers, of which one is computed.

    Raises
    ------
    NotCaptured
        If there is no operation for it.
    """
    name = function.__name__
    if name in ("floor", "ceil", "trunc") and len(args) == 1:
        return floor_of(computed(args[0]), name)
    if any(kind_of(a) is complex for a in args):
        raise TypeError("must be real number, not complex")
    values = [convert(a, float).value for a in args]
    if name in _TESTS and len(args) == 1:
        return ComputedScalar(record(ELEMENTWISE[_TESTS[name]], *values), bool)
    op = ELEMENTWISE.get(_MATH.get(name, ""), PYTHON_MATH.get(name))
    if op is None or function is not getattr(math, name, None):
        raise NotCaptured(f"math.{name} of a computed number")
    found = record(op, *values)
    guard(record(ELEMENTWISE["isfinite"], found), f"math.{name} gives a finite number")
    return ComputedScalar(found, float)


def smaller(a: Any, b: Any) -> Any:
    """``min(a, b)`` of ints, computed or not."""
    return _extreme("minimum", a, b)


def larger(a: Any, b: Any) -> Any:
    """``max(a, b)`` of ints, computed or not."""
    return _extreme("maximum", a, b)


def _extreme(name: str, a: Any, b: Any) -> Any:
    if type(a) is int and type(b) is int:
        return min(a, b) if name == "minimum" else max(a, b)
    known = a <= b
    if type(known) is bool:
        return a if known == (name == "minimum") else b
    x, y = convert(a, int), convert(b, int)
    low, high = ((min(x.low, y.low), min(x.high, y.high)) if name == "minimum"
                 else (max(x.low, y.low), max(x.high, y.high)))  # fmt: skip
    return number_of(record(ELEMENTWISE[name], x.value, y.value), low, high)
