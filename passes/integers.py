"""What is known of the integers of a graph: linear forms in loop indices and in what is not known, and inequalities.

Arithmetic is followed where it cannot leave 64 bits: there it is that of mathematics. Everything else is an unknown of
its own, the same one wherever the same value is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lazyarr.ir.graph import Graph
from lazyarr.ir.node import Node, Value
from lazyarr.passes.linear import Linear

_LEAST, _LARGEST = -(2**63), 2**63 - 1


@dataclass(frozen=True)
class Number:
    """An integer: its form, and the least and the largest value it may have."""

    form: Linear
    low: int = _LEAST
    high: int = _LARGEST

    @property
    def constant(self) -> int | None:
        return None if self.form.terms else self.form.constant


Numbers = dict[Value, Number]


def is_integer(value: Value) -> bool:
    """Whether a value is one that is followed."""
    return not value.type.shape and value.type.dtype == np.int64


class Integers:
    """The unknowns of a program.

    Attributes
    ----------
    count : int
        How many there are; an unknown made later has a larger number.
    """

    def __init__(self) -> None:
        self.count = 0
        self._facts: dict[int, list[Linear]] = {}
        self._largest: dict[int, tuple[Number, Number]] = {}

    def unknown(self, low: int = _LEAST, high: int = _LARGEST) -> Number:
        """A new unknown."""
        self.count += 1
        number = Number(Linear.of(self.count - 1), low, high)
        self._facts[self.count - 1] = [
            fact for bound, fact in ((low > _LEAST, number.form.shifted(-low)),
                                     (high < _LARGEST, Linear(high).minus(number.form))) if bound
        ]  # fmt: skip
        return number

    def note(self, number: Number, *at_least_zero: Linear) -> None:
        """Add what holds wherever the unknown `number` has a value."""
        self._facts[number.form.terms[0][0]].extend(at_least_zero)

    def facts(self, forms: Sequence[Linear]) -> list[Linear]:
        """What is known of the unknowns in `forms`, and of those in that."""
        found: list[Linear] = []
        seen: set[int] = set()
        stack = [u for form in forms for u, _ in form.terms]
        while stack:
            unknown = stack.pop()
            if unknown not in seen:
                seen.add(unknown)
                found += self._facts[unknown]
                stack += [u for fact in self._facts[unknown] for u, _ in fact.terms]
        return found

    def below(self, length: Number) -> Linear:
        """What a number below `length`, but not negative, is below: of ``max(n, 0)`` it is n."""
        while len(length.form.terms) == 1 and length.form.constant == 0 and length.form.terms[0][1] == 1:
            parts = self._largest.get(length.form.terms[0][0])
            if parts is None:
                break
            rest = [p for p in parts if p.high > 0]
            if len(rest) != 1:
                break
            length = rest[0]
        return length.form

    # --- graphs

    def get(self, numbers: Numbers, value: Value) -> Number:
        """The integer that `value` is."""
        found = numbers.get(value)
        if found is None:
            found = numbers[value] = self.unknown()
        return found

    def step(self, node: Node, graph: Graph, numbers: Numbers) -> None:
        """Follow a node that has no regions; others' results stay unknown."""
        if is_integer(node.values[0]) and not list(node.regions):
            found = self._result(node, graph, [self.get(numbers, v) for v in node.operands if is_integer(v)])
            numbers[node.values[0]] = self.unknown() if found is None else found

    def _result(self, node: Node, graph: Graph, given: list[Number]) -> Number | None:
        name = node.op.name
        if name == "const":
            value = int(node.kw["value"].value)
            return Number(Linear(value), value, value)
        if name == "cast":
            dtype = node.operands[0].type.dtype
            if given:
                return given[0]
            if dtype.kind in "iu" and dtype.itemsize < 8:
                return self.unknown(int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
            return self.unknown(0, 1) if dtype.kind == "b" else None
        if name == "negative":
            return self._fitting(Linear(0).minus(given[0].form), -given[0].high, -given[0].low)
        if name in ("maximum", "minimum") and len(given) == 2:
            return self._extremum(name, *given)
        if name == "select" and len(given) == 2:
            return self._select(node, *given)
        if name == "remainder" and len(given) == 2 and (given[1].constant or 0) > 0:
            return self.unknown(0, given[1].high - 1)
        if name == "exact":
            # What has not failed is exact.
            fits = any(check.ok == node.values[1] for check in graph.checks)
            return self._arithmetic(node.kw["kind"], given[0], given[1], clamped=True) if fits else None
        return self._arithmetic(name, given[0], given[1]) if len(given) == 2 else None

    def _arithmetic(self, name: str, a: Number, b: Number, clamped: bool = False) -> Number | None:
        if name == "add":
            return self._fitting(a.form.plus(b.form), a.low + b.low, a.high + b.high, clamped)
        if name == "subtract":
            return self._fitting(a.form.minus(b.form), a.low - b.high, a.high - b.low, clamped)
        if name == "multiply" and (a.constant is not None or b.constant is not None):
            factor, x = (a.constant, b) if a.constant is not None else (b.constant, a)
            assert factor is not None
            ends = sorted((factor * x.low, factor * x.high))
            return self._fitting(x.form.times(factor), ends[0], ends[1], clamped)
        return None

    @staticmethod
    def _fitting(form: Linear, low: int, high: int, clamped: bool = False) -> Number | None:
        if clamped:
            return Number(form, max(low, _LEAST), min(high, _LARGEST))
        return Number(form, low, high) if low >= _LEAST and high <= _LARGEST else None

    def _extremum(self, name: str, a: Number, b: Number) -> Number:
        if name == "maximum":
            if a.low >= b.high:
                return a
            if b.low >= a.high:
                return b
            found = self.unknown(max(a.low, b.low), max(a.high, b.high))
            self.note(found, found.form.minus(a.form), found.form.minus(b.form))
            self._largest[found.form.terms[0][0]] = (a, b)
            return found
        if a.high <= b.low:
            return a
        if b.high <= a.low:
            return b
        found = self.unknown(min(a.low, b.low), min(a.high, b.high))
        self.note(found, a.form.minus(found.form), b.form.minus(found.form))
        return found

    def _select(self, node: Node, a: Number, b: Number) -> Number:
        test = node.operands[0].node
        zero = len(test.operands) == 2 and test.operands[1].node
        # ``i + n if i < 0 else i``: NumPy's negative indices.
        if a == b or (
            test.op.name == "less" and test.operands[0] == node.operands[2] and zero
            and zero.op.name == "const" and int(zero.kw["value"].value) <= b.low
        ):  # fmt: skip
            return b
        return self.unknown(min(a.low, b.low), max(a.high, b.high))

    def inside(self, node: Node, region: Graph, numbers: Numbers) -> Numbers:
        """The parameters of a region of `node`, as they are in one run of it."""
        name = node.op.name
        found: Numbers = {}
        if name == "cond":
            given, params = node.operands[1:], region.params
            changes: Sequence[Value] = ()
        else:
            given, params = node.operands[3:] if name == "loop" else node.operands, region.params
            if name == "loop":
                found[params[0]] = self._index(node, numbers)
                params = params[1:]
            changes = node.kw["body"].results if name in ("loop", "while") else ()
        body = node.kw["body"] if name in ("loop", "while") else region
        own = body.params[1:] if name == "loop" else body.params
        for k, (param, operand) in enumerate(zip(params, given, strict=True)):
            if is_integer(param):
                same = k >= len(changes) or changes[k] == own[k]
                found[param] = self.get(numbers, operand) if same else self.unknown()
        return found

    def _index(self, node: Node, numbers: Numbers) -> Number:
        start, stop, step = (self.get(numbers, v) for v in node.operands[:3])
        by = step.constant
        if by is None or by == 0:
            return self.unknown()
        low, high = (start.low, stop.high - 1) if by > 0 else (stop.low + 1, start.high)
        if abs(by) == 1:
            index = self.unknown(max(low, _LEAST), min(high, _LARGEST))
            first, last = index.form.minus(start.form), stop.form.minus(index.form).shifted(-1)
            if by < 0:
                first, last = Linear(0).minus(first), Linear(0).minus(last).shifted(-2)
            self.note(index, first, last)
            return index
        turn = self.unknown(0)
        form = start.form.plus(turn.form, by)
        self.note(turn, (stop.form.minus(form) if by > 0 else form.minus(stop.form)).shifted(-1))
        return Number(form, max(low, _LEAST), min(high, _LARGEST))
