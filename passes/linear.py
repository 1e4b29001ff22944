"""Linear forms of integers, and whether a set of inequalities between them can hold.

Fourier-Motzkin elimination with coefficients made as small as integers allow. It answers "impossible" only where it has
a proof; what would take too long counts as possible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import gcd

#: Inequalities from which on a proof is given up.
_MOST = 300


@dataclass(frozen=True)
class Linear:
    """``constant + sum of coefficient * unknown``; unknowns are numbers that name integers."""

    constant: int
    terms: tuple[tuple[int, int], ...] = ()

    @staticmethod
    def of(unknown: int) -> Linear:
        return Linear(0, ((unknown, 1),))

    @staticmethod
    def _made(constant: int, terms: Mapping[int, int]) -> Linear:
        return Linear(constant, tuple(sorted((u, c) for u, c in terms.items() if c)))

    def plus(self, other: Linear, times: int = 1) -> Linear:
        """``self + times * other``."""
        terms = dict(self.terms)
        for unknown, coefficient in other.terms:
            terms[unknown] = terms.get(unknown, 0) + times * coefficient
        return Linear._made(self.constant + times * other.constant, terms)

    def minus(self, other: Linear) -> Linear:
        return self.plus(other, -1)

    def shifted(self, by: int) -> Linear:
        return Linear(self.constant + by, self.terms)

    def times(self, factor: int) -> Linear:
        return Linear(0).plus(self, factor)

    def renamed(self, name: Callable[[int], int]) -> Linear:
        return Linear._made(self.constant, {name(u): c for u, c in self.terms})


def impossible(at_least_zero: Iterable[Linear], zero: Iterable[Linear] = ()) -> bool:
    """Whether no integers make all forms of the first kind non-negative and all of the second zero."""
    system = [dict(f.terms) | {-1: f.constant} for f in at_least_zero]
    for form in zero:
        terms = dict(form.terms)
        divisor = gcd(*terms.values()) if terms else 0
        if form.constant % divisor if divisor else form.constant:
            return True
        system += [terms | {-1: form.constant}, {u: -c for u, c in terms.items()} | {-1: -form.constant}]
    return _contradicts(system)


def _contradicts(system: list[dict[int, int]]) -> bool:
    """The same of rows: coefficients by unknown, the constant under -1."""
    rows: dict[tuple[tuple[int, int], ...], int] = {}

    def add(row: dict[int, int]) -> bool:
        """Keep a row; gives whether it cannot hold."""
        constant = row.get(-1, 0)
        terms = sorted((u, c) for u, c in row.items() if u != -1 and c)
        if not terms:
            return constant < 0
        divisor = gcd(*(c for _, c in terms))
        key = tuple((u, c // divisor) for u, c in terms)
        # Of integers: what is at least 1/2 is at least 1.
        constant //= divisor
        rows[key] = min(rows.get(key, constant), constant)
        return False

    if any(add(row) for row in system):
        return True
    while rows:
        lower: dict[int, int] = {}
        upper: dict[int, int] = {}
        for key in rows:
            for unknown, coefficient in key:
                counts = lower if coefficient > 0 else upper
                counts[unknown] = counts.get(unknown, 0) + 1
        unknown = min({*lower, *upper}, key=lambda u: lower.get(u, 0) * upper.get(u, 0))
        if lower.get(unknown, 0) * upper.get(unknown, 0) + len(rows) > _MOST:
            return False
        below: list[dict[int, int]] = []
        above: list[dict[int, int]] = []
        for key in list(rows):
            coefficient = dict(key).get(unknown, 0)
            if coefficient:
                (below if coefficient > 0 else above).append(dict(key) | {-1: rows.pop(key)})
        for one in below:
            for other in above:
                a, b = one[unknown], -other[unknown]
                both = {u: b * one.get(u, 0) + a * other.get(u, 0) for u in {*one, *other} - {unknown}}
                if add(both):
                    return True
    return False
