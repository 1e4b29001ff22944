"""simplify: algebra that keeps every bit of NumPy's results.

Floating-point identities hold here only where they hold for signed zeros, infinities, NaN, denormals and overflow;
``x + 0.0`` stays, because it turns -0.0 into 0.0. What is not kept is which NaN a NaN is (its sign and payload), and
that a signalling NaN becomes quiet. Integers wrap, so their identities are those of a ring.
Operands are as `canonicalize` leaves them: constants to the right, as scalars.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lazyarr.ir.graph import Program
from lazyarr.ir.node import Node, Value, apply
from lazyarr.ir.op import lookup
from lazyarr.ir.rewrite import Context, Replacement, Rules, rewrite
from lazyarr.ops.create import const
from lazyarr.passes.base import Pass
from lazyarr.passes.build import broadcast_to, constant, op_name, static


@dataclass(frozen=True)
class Simplify(Pass):
    """Replace arithmetic by less arithmetic with the same bits."""

    name: ClassVar[str] = "simplify"

    def run(self, program: Program) -> Program:
        return rewrite(program, RULES)


def _kind(value: Value) -> str:
    return value.type.dtype.kind


def _of(name: str, *operands: Value) -> Value:
    return apply(lookup(name), *operands)


def _is(scalar: Any, number: float) -> bool:
    """Whether a constant is `number`, the sign of a zero included."""
    if scalar is None or scalar != number:
        return False
    return number != 0 or scalar.dtype.kind in "biu" or _same_zero(scalar, number)


def _same_zero(scalar: Any, number: float) -> bool:
    """Whether the zero `scalar` has the sign of the zero `number`, in both parts if it is complex."""
    parts = (scalar.real, scalar.imag) if scalar.dtype.kind == "c" else (scalar,)
    return all(bool(np.signbit(p)) == bool(np.signbit(number)) for p in parts)


def _as_result(node: Node, value: Value) -> Value:
    return broadcast_to(value, node.types[0].shape)


def _filled(node: Node, number: Any) -> Value:
    return broadcast_to(const(number, node.types[0].dtype), node.types[0].shape)


# ------------------------------------------------------------------------------------- one operand and a constant


def add_zero(node: Node, context: Context) -> Replacement:
    """``x + 0 -> x`` for integers, ``x + -0.0 -> x`` for floats; bool: ``x | False -> x``."""
    x, y = node.operands
    return _as_result(node, x) if _is(constant(y), 0 if _kind(x) in "biu" else -0.0) else None


def subtract_zero(node: Node, context: Context) -> Replacement:
    """``x - 0 -> x`` and ``x - 0.0 -> x``; not ``x - -0.0``."""
    x, y = node.operands
    return _as_result(node, x) if _is(constant(y), 0.0) else None


def subtract_from_zero(node: Node, context: Context) -> Replacement:
    """``0 - x -> -x`` for integers, ``-0.0 - x -> -x`` for floats."""
    x, y = node.operands
    kind = _kind(x)
    return _as_result(node, _of("negative", y)) if _is(constant(x), 0 if kind in "iu" else -0.0) else None


def multiply_constant(node: Node, context: Context) -> Replacement:
    """``x * 1 -> x``, ``x * -1 -> -x``; ``x * 0 -> 0`` for integers only. Complex products stay: inf * 0 is NaN."""
    x, y = node.operands
    c, kind = constant(y), _kind(x)
    if c is None or kind == "c":
        return None
    if c == 1:
        return _as_result(node, x)
    if kind in "biu" and c == 0:
        return _filled(node, 0)
    return _as_result(node, _of("negative", x)) if kind in "if" and c == -1 else None


def divide_constant(node: Node, context: Context) -> Replacement:
    """``x / 1 -> x``, ``x / -1 -> -x``, ``x / 4 -> x * 0.25``: where the reciprocal is exact and normal."""
    x, y = node.operands
    c = constant(y)
    if c is None or _kind(x) != "f" or not np.isfinite(c) or c == 0:
        return None
    if abs(c) == 1:
        return _as_result(node, x if c == 1 else _of("negative", x))
    mantissa, _ = np.frexp(c)
    with np.errstate(all="ignore"):
        reciprocal = c.dtype.type(1) / c
    if abs(mantissa) != 0.5 or not np.finfo(c.dtype).tiny <= abs(reciprocal) < np.inf:
        return None
    return _of("multiply", x, broadcast_to(const(reciprocal), y.type.shape))


def floor_divide_one(node: Node, context: Context) -> Replacement:
    """``x // 1 -> x`` for integers."""
    x, y = node.operands
    return _as_result(node, x) if _kind(x) in "iu" and _is(constant(y), 1) else None


def remainder_one(node: Node, context: Context) -> Replacement:
    """``x % 1 -> 0`` for integers."""
    x, y = node.operands
    return _filled(node, 0) if _kind(x) in "iu" and _is(constant(y), 1) else None


def power_constant(node: Node, context: Context) -> Replacement:
    """``x ** 0 -> 1``, ``x ** 1 -> x``, ``x ** 2 -> square(x)``.

    Floats only with a scalar exponent of 2, of which NumPy's loop makes a product; other powers, 0.5 and -1 among
    them, are rounded as the mathematical library does. Of complex numbers none: NumPy's loop has its own cases.
    """
    x, y = node.operands
    c, kind = constant(y), _kind(x)
    if c is None or kind == "c" or x.type.shape != node.types[0].shape:
        return None
    if c == 0:
        return _filled(node, 1)
    if c == 1:
        return x
    return _of("square", x) if c == 2 and (kind in "iu" or (kind == "f" and y.type.shape == ())) else None


def bitwise_constant(node: Node, context: Context) -> Replacement:
    """``x & 0 -> 0``, ``x & -1 -> x``, ``x | 0 -> x``, ``x | -1 -> -1``, ``x ^ 0 -> x``, ``x ^ -1 -> ~x``."""
    x, y = node.operands
    c = constant(y)
    if c is None:
        return None
    zero, ones = c == 0, c == np.invert(c.dtype.type(0))
    match node.op.name:
        case "bitwise_and":
            return _filled(node, 0) if zero else _as_result(node, x) if ones else None
        case "bitwise_or":
            return _as_result(node, x) if zero else _filled(node, c) if ones else None
        case _:
            return _as_result(node, x) if zero else _as_result(node, _of("invert", x)) if ones else None


def no_shift(node: Node, context: Context) -> Replacement:
    """``x << 0 -> x`` and ``x >> 0 -> x``."""
    x, y = node.operands
    return _as_result(node, x) if _is(constant(y), 0) else None


def logical_constant(node: Node, context: Context) -> Replacement:
    """``logical_and(x, True) -> x``, ``logical_and(x, False) -> False``; or and xor likewise, of bools."""
    x, y = node.operands
    c = constant(y)
    if c is None or _kind(x) != "b":
        return None
    match node.op.name:
        case "logical_and":
            return _as_result(node, x) if c else _filled(node, False)
        case "logical_or":
            return _filled(node, True) if c else _as_result(node, x)
        case _:
            return _as_result(node, _of("logical_not", x) if c else x)


# ------------------------------------------------------------------------------------------ the same operand twice


def same_operands(node: Node, context: Context) -> Replacement:
    """``minimum(x, x) -> x``; maximum, fmin, fmax, ``&`` and ``|`` likewise, and logical ones of bools."""
    x, y = node.operands
    if x != y or node.types[0] is not x.type:
        return None
    return x


def same_difference(node: Node, context: Context) -> Replacement:
    """``x - x -> 0`` and ``x ^ x -> 0`` for integers and bools; a float may be NaN or infinite."""
    x, y = node.operands
    return _filled(node, 0) if x == y and _kind(x) in "biu" else None


def same_comparison(node: Node, context: Context) -> Replacement:
    """``x == x -> True`` and ``x < x -> False`` for integers and bools; a float may be NaN."""
    x, y = node.operands
    if x != y or _kind(x) not in "biu":
        return None
    return _filled(node, node.op.name in ("equal", "less_equal", "greater_equal"))


def same_branches(node: Node, context: Context) -> Replacement:
    """``select(c, x, x) -> x``, repeated to the node's shape."""
    return _as_result(node, node.operands[1]) if node.operands[1] == node.operands[2] else None


def select_of_bools(node: Node, context: Context) -> Replacement:
    """``select(c, True, False) -> c`` and ``select(c, False, True) -> logical_not(c)``."""
    condition, x, y = node.operands
    if _kind(x) != "b":
        return None
    a, b = constant(x), constant(y)
    if a is None or b is None or bool(a) == bool(b):
        return None
    return _as_result(node, condition if a else _of("logical_not", condition))


def select_of_not(node: Node, context: Context) -> Replacement:
    """``select(logical_not(c), x, y) -> select(c, y, x)``."""
    condition, x, y = node.operands
    if op_name(condition) not in ("logical_not", "invert"):
        return None
    inner = condition.node.operands[0]
    return _of("select", inner, y, x) if _kind(inner) == "b" else None


# --------------------------------------------------------------------------------------------- chains of functions

_INVOLUTIONS = ("negative", "invert", "conjugate", "logical_not")
_ROUNDINGS = ("floor", "ceil", "trunc", "rint")
#: Functions whose results have no sign but a NaN's, and that forget the sign of their operand.
_UNSIGNED_RESULT = ("absolute", "fabs", "square")


def involution(node: Node, context: Context) -> Replacement:
    """``-(-x) -> x``; ``~~x``, ``conjugate(conjugate(x))``, and ``logical_not(logical_not(x))`` of a bool."""
    inner = node.operands[0].node
    same = inner.op is node.op and inner.operands[0].type is node.types[0]
    return inner.operands[0] if same else None


def identity_on_kind(node: Node, context: Context) -> Replacement:
    """``positive(x) -> x``; of reals ``conjugate(x) -> x``; of unsigned and bools ``absolute(x) -> x``.

    Of integers and bools ``floor(x) -> x``, ceil and trunc as well.
    """
    x = node.operands[0]
    kinds = {"positive": "biufc", "conjugate": "biuf", "absolute": "bu"}.get(node.op.name, "biu")
    return x if _kind(x) in kinds and node.types[0] is x.type else None


def sign_forgotten(node: Node, context: Context) -> Replacement:
    """``absolute(-x) -> absolute(x)``, ``square(-x) -> square(x)``, ``square(absolute(x)) -> square(x)``.

    Of complex x only the first two, and ``absolute(conjugate(x)) -> absolute(x)``.
    """
    inner = node.operands[0].node
    if not inner.operands:
        return None
    x = inner.operands[0]
    if x.type.dtype != node.operands[0].type.dtype:
        return None
    forgets = {"negative"} | ({"conjugate"} if node.op.name == "absolute" else set())
    if _kind(x) != "c":
        forgets |= {"absolute", "fabs"}
    return _of(node.op.name, x) if inner.op.name in forgets else None


def absolute_of_unsigned(node: Node, context: Context) -> Replacement:
    """``absolute(square(x)) -> square(x)`` for floats, ``absolute(absolute(z)) -> absolute(z)`` for complex z.

    Not of sqrt: the root of -0.0 is -0.0.
    """
    x = node.operands[0]
    return x if _kind(x) == "f" and op_name(x) in _UNSIGNED_RESULT else None


def rounding_of_rounding(node: Node, context: Context) -> Replacement:
    """``floor(rint(x)) -> rint(x)``: what is a whole number already."""
    x = node.operands[0]
    return x if op_name(x) in _ROUNDINGS else None


def not_of_comparison(node: Node, context: Context) -> Replacement:
    """``logical_not(x == y) -> x != y``, any dtype; ``logical_not(x < y) -> x >= y`` for integers and bools."""
    inner = node.operands[0].node
    opposite = {"equal": "not_equal", "not_equal": "equal"}
    if inner.operands and _kind(inner.operands[0]) in "biu":
        opposite |= {"less": "greater_equal", "greater_equal": "less", "greater": "less_equal", "less_equal": "greater"}
    return _of(opposite[inner.op.name], *inner.operands) if inner.op.name in opposite else None


def parts_of_complex(node: Node, context: Context) -> Replacement:
    """``real(complex(x, y)) -> x`` and ``imag(complex(x, y)) -> y``."""
    inner = node.operands[0].node
    if inner.op.name != "complex":
        return None
    return _as_result(node, inner.operands[0 if node.op.name == "real" else 1])


def parts_of_conjugate(node: Node, context: Context) -> Replacement:
    """``real(conjugate(z)) -> real(z)`` and ``imag(conjugate(z)) -> -imag(z)``."""
    inner = node.operands[0].node
    if inner.op.name != "conjugate":
        return None
    part = _of(node.op.name, inner.operands[0])
    return part if node.op.name == "real" else _of("negative", part)


def complex_of_parts(node: Node, context: Context) -> Replacement:
    """``complex(real(z), imag(z)) -> z``."""
    re, im = (v.node for v in node.operands)
    if re.op.name == "real" and im.op.name == "imag" and re.operands == im.operands:
        return re.operands[0]
    return None


def known_class(node: Node, context: Context) -> Replacement:
    """``isnan(i) -> False``, ``isinf(i) -> False``, ``isfinite(i) -> True`` for integers and bools."""
    return _filled(node, node.op.name == "isfinite") if _kind(node.operands[0]) in "biu" else None


# ----------------------------------------------------------------------------------------------- signs in sums


def add_negative(node: Node, context: Context) -> Replacement:
    """``x + -y -> x - y`` and ``-x + y -> y - x``."""
    x, y = node.operands
    if op_name(y) == "negative":
        return _of("subtract", x, y.node.operands[0])
    return _of("subtract", y, x.node.operands[0]) if op_name(x) == "negative" else None


def subtract_negative(node: Node, context: Context) -> Replacement:
    """``x - -y -> x + y``."""
    x, y = node.operands
    return _of("add", x, y.node.operands[0]) if op_name(y) == "negative" else None


def signs_cancel(node: Node, context: Context) -> Replacement:
    """``-x * -y -> x * y``, ``-x * 2.0 -> x * -2.0``; division likewise. Not of complex numbers.

    Not for integers' division either, where the smallest one has no opposite.
    """
    x, y = node.operands
    kind = _kind(x)
    if op_name(x) != "negative" or not (kind == "f" or (kind in "iu" and node.op.name == "multiply")):
        return None
    c = constant(y)
    if op_name(y) == "negative":
        other = y.node.operands[0]
    elif c is not None and not np.isnan(c):
        with np.errstate(all="ignore"):
            other = broadcast_to(const(np.negative(c)), y.type.shape)
    else:
        return None
    return _of(node.op.name, x.node.operands[0], other)


# ------------------------------------------------------------------------------------------------- reductions

#: Reductions of which the order of combination changes no bit.
_EXACT_KINDS = {
    "add": "biu", "multiply": "biu", "maximum": "biu", "minimum": "biu", "fmax": "biu", "fmin": "biu",
    "logical_and": "b", "logical_or": "b", "bitwise_and": "biu", "bitwise_or": "biu", "bitwise_xor": "biu",
}  # fmt: skip


def reduce_of_reduce(node: Node, context: Context) -> Replacement:
    """``reduce(reduce(x) {kind=add, axes=(0,)}) {kind=add, axes=(0,)} -> reduce(x) {kind=add, axes=(0, 1)}``.

    Where the order changes no bit: integers, and bools.
    """
    inner, kind = node.operands[0].node, node.kw["kind"]
    if inner.op is not node.op or inner.kw["kind"] != kind:
        return None
    x = inner.operands[0]
    if x.type.dtype != node.types[0].dtype or _kind(x) not in _EXACT_KINDS.get(kind, ""):
        return None
    # An empty axis is reduced to the identity; both orders then agree too, but maxima would be rejected.
    if not static(x) or 0 in x.type.shape:
        return None
    kept = [a for a in range(x.type.ndim) if a not in inner.kw["axes"]]
    axes = tuple(sorted((*inner.kw["axes"], *(kept[a] for a in node.kw["axes"]))))
    return apply(node.op, x, kind=kind, axes=axes)


RULES: Rules = {
    "add": (add_zero, add_negative),
    "subtract": (subtract_zero, subtract_from_zero, same_difference, subtract_negative),
    "multiply": (multiply_constant, signs_cancel),
    "divide": (divide_constant, signs_cancel),
    "floor_divide": (floor_divide_one,),
    "remainder": (remainder_one,),
    "power": (power_constant,),
    "bitwise_and": (bitwise_constant, same_operands),
    "bitwise_or": (bitwise_constant, same_operands),
    "bitwise_xor": (bitwise_constant, same_difference),
    "left_shift": (no_shift,),
    "right_shift": (no_shift,),
    "logical_and": (logical_constant, same_operands),
    "logical_or": (logical_constant, same_operands),
    "logical_xor": (logical_constant,),
    **dict.fromkeys(("maximum", "minimum", "fmax", "fmin"), (same_operands,)),
    **dict.fromkeys(("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"), (same_comparison,)),
    "select": (same_branches, select_of_bools, select_of_not),
    "negative": (involution,),
    "invert": (involution, not_of_comparison),
    "conjugate": (identity_on_kind, involution),
    "logical_not": (involution, not_of_comparison),
    "positive": (identity_on_kind,),
    "absolute": (identity_on_kind, sign_forgotten, absolute_of_unsigned),
    "fabs": (sign_forgotten, absolute_of_unsigned),
    "square": (sign_forgotten,),
    "floor": (identity_on_kind, rounding_of_rounding),
    "ceil": (identity_on_kind, rounding_of_rounding),
    "trunc": (identity_on_kind, rounding_of_rounding),
    "rint": (rounding_of_rounding,),
    "real": (parts_of_complex, parts_of_conjugate),
    "imag": (parts_of_complex, parts_of_conjugate),
    "complex": (complex_of_parts,),
    "isnan": (known_class,),
    "isinf": (known_class,),
    "isfinite": (known_class,),
    "reduce": (reduce_of_reduce,),
}
