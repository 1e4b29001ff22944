"""Random loops whose iterations are independent, nearly so, or not: each element of an array is some iteration's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr.ir.graph import Check, Graph, param
from lazyarr.ir.node import Value, apply, apply_all, make
from lazyarr.ir.op import lookup
from lazyarr.ir.types import DTYPES, parse
from lazyarr.ops.create import const

#: Elements of vectors, rows of matrices; iterations; columns.
LENGTH, TRIPS, COLUMNS = 24, 8, 5
_I64, _F64, _BOOL = parse("i64[]"), parse("f64[]"), parse("bool[]")
_VECTOR, _MATRIX, _INTS = (parse(t) for t in (f"f64[{LENGTH}]", f"f64[{LENGTH},{COLUMNS}]", f"i64[{LENGTH}]"))
_CARRIED = (_VECTOR, _MATRIX, _I64, _F64, _I64, _BOOL, _F64)


def _op(name: str, *operands: Value, **attrs: object) -> Value:
    return apply(lookup(name), *operands, **attrs)


def _int(value: int) -> Value:
    return const(value, DTYPES["i64"])


class _Body:
    """One iteration; carried values in `state`, constants in `x`, `m` and `n`."""

    def __init__(self, rng: np.random.Generator, params: Sequence[Value]):
        self.rng = rng
        self.i = params[0]
        self.state = list(params[1 : 1 + len(_CARRIED)])
        self.x, self.m, self.n = params[1 + len(_CARRIED) :]
        self.checks: list[Check] = []

    def choose(self, n: int) -> int:
        return int(self.rng.integers(n))

    # --- numbers

    def place(self) -> Value:
        """An index that iterations mostly do not have in common."""
        kind = self.choose(12)
        if kind < 7:
            return _op("add", self.i, _int(self.choose(3)))
        if kind == 7:
            return _op("subtract", _int(LENGTH - 1), self.i)
        if kind == 8:
            return _op("add", _op("multiply", self.i, _int(2)), _int(self.choose(2)))
        if kind == 9:
            return _op("remainder", _op("multiply", self.i, _int(5)), _int(LENGTH))
        if kind == 10:
            return _op("remainder", _op("window", self.n, self.i, dims=(("index",),)), _int(LENGTH))
        return _op("remainder", self.state[2], _int(LENGTH)) if self.choose(4) == 0 else self.i

    def number(self) -> Value:
        """A float."""
        kind = self.choose(9)
        if kind == 0:
            return _op("cast", self.i, dtype=DTYPES["f64"])
        if kind == 1:
            return _op("window", self.m, self.place(), _int(self.choose(COLUMNS)), dims=(("index",), ("index",)))
        if kind == 2:
            row = _op("window", self.m, self.i, dims=(("index",), ("all",)))
            return _op("reduce", row, axes=(0,), kind=("add", "maximum")[self.choose(2)])
        if kind == 3:
            part = _op("window", self.x, _int(0), self.i, dims=(("slice", 1),))
            return _op("matmul", part, part)
        if kind == 4:
            return _op("reduce", _op("gather", self.x, self.n, axes=(0,)), axes=(0,), kind="add")
        if kind == 5 and self.choose(2):
            return _op("window", self.state[0], self.place(), dims=(("index",),))
        if kind == 6:
            return self.repeated()
        return _op("window", self.x, self.place(), dims=(("index",),))

    def whole(self) -> Value:
        """An int."""
        return _op("window", self.n, self.i, dims=(("index",),)) if self.choose(3) else self.i

    def repeated(self) -> Value:
        """``while y > 0.5: y = y / 2`` with as many iterations as data says."""
        y, count = param(0, _F64), param(1, _I64)
        half = Graph([y, count], [_op("multiply", y, const(0.5)), _op("add", count, _int(1))])
        more = Graph([y, count], [_op("logical_and", _op("less", const(0.5), y), _op("less", count, _int(60)))])
        start = _op("absolute", _op("window", self.x, self.i, dims=(("index",),)))
        return make(lookup("while"), (start, _int(0)), (("body", half), ("carried", 2), ("cond", more))).values[0]

    # --- statements

    def step(self) -> None:
        kind = self.choose(14)
        if kind < 3:
            self.state[0] = _op("put_window", self.state[0], self.number(), self.place(), dims=(("index",),))
        elif kind == 3:
            at = self.place()
            old = _op("window", self.state[0], at, dims=(("index",),))
            self.state[0] = _op("put_window", self.state[0], _op("add", old, self.number()), at, dims=(("index",),))
        elif kind == 4:
            row = _op("multiply", _op("window", self.m, self.i, dims=(("index",), ("all",))), self.number())
            self.state[1] = _op("put_window", self.state[1], row, self.place(), dims=(("index",), ("all",)))
        elif kind == 5:
            self.columns()
        elif kind == 6:
            self.branch()
        elif kind == 7:
            total, fits = apply_all(lookup("exact"), self.state[2], self.whole(), kind="add")
            self.state[2] = total
            self.checks.append(Check(fits, "CheckFailed", "an integer fits 64 bits"))
        elif kind == 8:
            self.state[3] = self.number()
        elif kind == 9:
            self.state[4] = _op(("maximum", "minimum", "add", "bitwise_xor")[self.choose(4)], self.state[4],
                                self.whole())  # fmt: skip
        elif kind == 10:
            self.state[5] = _op(("logical_and", "logical_or")[self.choose(2)], self.state[5],
                                _op("less", self.number(), const(1.0)))  # fmt: skip
        elif kind == 11:
            self.contest()
        elif kind == 12 and self.choose(3) == 0:
            self.state[6] = _op("add", self.state[6], self.number())
        else:
            self.checks.append(Check(_op("less", self.whole(), _int(90 + self.choose(20))), "ValueError", "drawn"))

    def columns(self) -> None:
        """``for j in range(COLUMNS): y[i, j] = y[i, j - 1] + x[i]``, or a part of it."""
        j, y, i, x = param(0, _I64), param(1, _MATRIX), param(2, _I64), param(3, _VECTOR)
        index = (("index",), ("index",))
        value = _op("add", _op("window", y, i, _op("subtract", j, _int(1)), dims=index),
                    _op("window", x, i, dims=(("index",),)))  # fmt: skip
        body = Graph([j, y, i, x], [_op("put_window", y, value, i, j, dims=index)])
        attrs = (("body", body), ("carried", 1), ("until", -1))
        bounds = (_int(1), _int(1 + self.choose(COLUMNS)), _int(1))
        self.state[1] = make(lookup("loop"), (*bounds, self.state[1], self.i, self.x), attrs).values[0]

    def branch(self) -> None:
        """``if number < number: y[place] = number``."""
        y, at, value = param(0, _VECTOR), param(1, _I64), param(2, _F64)
        then = Graph([y, at, value], [_op("put_window", y, value, at, dims=(("index",),))])
        orelse = Graph([y, at, value], [y])
        test = _op("less", self.number(), self.number())
        self.state[0] = _op("cond", test, self.state[0], self.place(), self.number(), then=then, orelse=orelse)

    def contest(self) -> None:
        """``if best < number: best, at = number, i``."""
        value, best = self.number(), self.state[6]
        name, turned = ("less", "less_equal", "greater")[self.choose(3)], self.choose(2)
        test = _op(name, value, best) if turned else _op(name, best, value)
        self.state[6] = _op("select", test, value, best)
        self.state[4] = _op("select", test, self.i, self.state[4])


def seeded(seed: int) -> Graph:
    """The loop of a seed, and what it carries with it, as a graph."""
    rng = np.random.default_rng(seed)
    types = [*_CARRIED, _VECTOR, _MATRIX, _INTS]
    outer = [param(k, t) for k, t in enumerate(types)]
    inner = [param(0, _I64), *(param(1 + k, t) for k, t in enumerate(types))]
    body = _Body(rng, inner)
    for _ in range(1 + int(rng.integers(4))):
        body.step()
    start = int(rng.integers(3))
    ways = [(start, start + TRIPS, 1), (start + TRIPS, start, -1), (start, start + TRIPS, 2)]
    bounds = [_int(b) for b in ways[int(rng.integers(3))]]
    if rng.integers(4) == 0:
        bounds[1] = _op("remainder", outer[2], _int(TRIPS))
    attrs = (("body", Graph(inner, body.state, body.checks)), ("carried", len(_CARRIED)), ("until", -1))
    return Graph(outer, make(lookup("loop"), (*bounds, *outer), attrs).values)
