"""Every rule of simplify keeps every bit: proven on special values, for each dtype on which it fires."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr.backends.numpy import interpret
from lazyarr.ir.graph import Graph, Program, param
from lazyarr.ir.node import Node, Value, apply, make
from lazyarr.ir.op import lookup
from lazyarr.ir.rewrite import Context, Replacement, Rule, rewrite
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ops.create import const, full
from lazyarr.ops.elementwise import ELEMENTWISE, loop_dtypes
from lazyarr.passes.canonicalize import Canonicalize
from lazyarr.passes.simplify import RULES, Simplify
from tests.bits import assert_same_bits, special_values

UFUNCS = {name: f for name in ELEMENTWISE if isinstance(f := getattr(np, name, None), np.ufunc) and f.nout == 1}
UNARY = [name for name, ufunc in UFUNCS.items() if ufunc.nin == 1]
BINARY = [name for name, ufunc in UFUNCS.items() if ufunc.nin == 2]
COMPARISONS = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")


def grid(dtype: np.dtype[Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Each special value with each."""
    values = special_values(dtype)
    return np.repeat(values, len(values)), np.tile(values, len(values))


def unary(name: str, x: Value) -> list[Value]:
    """The function of `x` where NumPy has a loop for its dtype: one value, or none."""
    fits = any(loop[:1] == (x.type.dtype,) for loop in loop_dtypes(UFUNCS[name]))
    return [apply(lookup(name), x)] if fits else []


def binary(name: str, x: Value, y: Value) -> list[Value]:
    fits = any(loop[:2] == (x.type.dtype, y.type.dtype) for loop in loop_dtypes(UFUNCS[name]))
    return [apply(lookup(name), x, y)] if fits else []


def patterns(dtype: np.dtype[Any], x: Value, y: Value) -> Iterator[Value]:
    """Expressions of `x` and `y` of the kind the rules look for."""
    shape = x.type.shape
    constants = [const(c, dtype) for c in special_values(dtype)]
    constants += [const(c, dtype) for c in (4, 8, 64) if dtype.kind != "b"]
    if dtype.kind == "f":
        limits = np.finfo(dtype)
        constants += [const(c, dtype) for c in (-0.5, -4, 2.0**limits.minexp, 2.0 ** (limits.maxexp - 1))]
    for name in BINARY:
        yield from binary(name, x, x)
        for c in constants:
            yield from binary(name, x, c)
            yield from binary(name, c, x)
        yield from binary(name, x, full(shape, 2, dtype))
        signed = [(v, w) for v in (x, *unary("negative", x)) for w in (y, *unary("negative", y), *constants)]
        for v, w in signed:
            if v is not x or w is not y:
                yield from binary(name, v, w)
    for outer in UNARY:
        yield from unary(outer, x)
        for inner in UNARY:
            for value in unary(inner, x):
                yield from unary(outer, value)
        for compare in COMPARISONS:
            for value in binary(compare, x, y):
                yield from unary(outer, value)
    condition = apply(lookup("equal"), x, y)
    yes, no = const(True), const(False)
    select = lookup("select")
    yield apply(select, condition, x, x)
    yield apply(select, apply(lookup("logical_not"), apply(lookup("less"), x, y)), x, y)
    for a, b in [(yes, no), (no, yes), (yes, yes), (full(shape, True), no)]:
        yield apply(select, condition, a, b)
    if dtype.kind == "c":
        parts = [apply(lookup(part), x) for part in ("real", "imag")]
        yield apply(lookup("complex"), *parts)
        yield from (apply(lookup(part), apply(lookup("conjugate"), x)) for part in ("real", "imag"))
    if dtype in (np.dtype("f4"), np.dtype("f8")):
        both = apply(lookup("complex"), x, y)
        yield from (apply(lookup(part), both) for part in ("real", "imag"))
    square = apply(lookup("reshape"), x, shape=(len(special_values(dtype)),) * 2)
    for kind in ("add", "multiply", "maximum", "logical_and", "bitwise_or", "bitwise_xor", "fmin"):
        if dtype.kind not in "biu" and kind.startswith("bitwise"):
            continue
        if dtype.kind == "b" and kind in ("add", "multiply"):
            continue
        for axes in ((0,), (1,)):
            once = make(lookup("reduce"), (square,), (("axes", axes), ("kind", kind))).values[0]
            if once.type.dtype == dtype:
                yield make(lookup("reduce"), (once,), (("axes", (0,)), ("kind", kind))).values[0]


class Recorder:
    """The rules of simplify, each noting when it fires."""

    def __init__(self) -> None:
        self.fired: set[str] = set()
        self.rules = {name: [self._noting(rule) for rule in rules] for name, rules in RULES.items()}

    def _noting(self, rule: Rule) -> Rule:
        def noting(node: Node, context: Context) -> Replacement:
            found = rule(node, context)
            if found is not None:
                self.fired.add(rule.__name__)
            return found

        return noting


def prove(dtype: np.dtype[Any], recorder: Recorder, compare: bool = True) -> int:
    """Check every pattern that a rule changes (or only note the rules); gives how many there were."""
    x_values, y_values = grid(dtype)
    type = ArrayType(dtype, x_values.shape)
    x, y = param(0, type), param(1, type)
    changed = 0
    for value in dict.fromkeys(patterns(dtype, x, y)):
        graph = Graph([x, y], [value])
        simple = rewrite(Program(graph), recorder.rules).graph
        if simple is not graph:
            changed += 1
            if compare:
                arguments = [x_values, y_values]
                assert_same_bits(interpret(simple, arguments), interpret(graph, arguments))
    return changed


@pytest.mark.parametrize("name", DTYPES)
def test_rules_keep_every_bit(name: str) -> None:
    assert prove(DTYPES[name], Recorder()) > 10


def test_every_rule_is_proven() -> None:
    recorder = Recorder()
    for name in ("bool", "i16", "f32", "c64"):
        prove(DTYPES[name], recorder, compare=False)
    assert recorder.fired == {rule.__name__ for rules in RULES.values() for rule in rules}


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        (lambda x: ("add", x, const(0.0)), "-0.0 + 0.0 is 0.0"),
        (lambda x: ("subtract", x, const(-0.0)), "-0.0 - -0.0 is 0.0"),
        (lambda x: ("multiply", x, const(0.0)), "inf * 0.0 is NaN"),
        (lambda x: ("subtract", x, x), "inf - inf is NaN"),
        (lambda x: ("divide", x, x), "0.0 / 0.0 is NaN"),
        (lambda x: ("divide", x, const(3.0)), "1/3 is not exact"),
        (lambda x: ("divide", x, const(2.0**1023)), "the reciprocal is denormal"),
        (lambda x: ("power", x, const(0.5)), "power(-inf, 0.5) is inf"),
        (lambda x: ("power", x, const(-1.0)), "a library's power is not rounded as a division"),
        (lambda x: ("equal", x, x), "NaN is not NaN"),
    ],
)
def test_what_would_change_a_bit_stays(expression: object, why: str) -> None:
    assert callable(expression)
    x = param(0, ArrayType(DTYPES["f64"], (3,)))
    name, *operands = expression(x)
    graph = Graph([x], [apply(lookup(name), *operands)])
    assert Simplify().run(Program(graph)).graph is graph, why


def test_with_constants_as_arrays() -> None:
    """Constants reach simplify as scalars, because canonicalize came first."""
    x = param(0, ArrayType(DTYPES["f64"], (3,)))
    graph = Graph([x], [apply(lookup("multiply"), full((3,), 1.0), x)])
    assert Simplify().run(Canonicalize().run(Program(graph))).graph.results == (x,)
