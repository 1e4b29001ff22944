"""Comparisons of a complex number's modulus, ``abs(z) < 2``, decided by its square wherever that decides them.

NumPy's modulus takes a division and a square root, several times the price of ``x**2 + y**2``. Both are right to a few
units in the last place: an element of which the square is further from the square of the limit is on the side that the
square says. A block of elements is tested for others first; one that has some is computed as NumPy does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lazyarr.backends.native_emit import Code, Element, Index, literal, part, register
from lazyarr.backends.native_storage import Generate, Pointwise, Scalar, Storage

#: Comparisons, and what they are with the operands exchanged.
MIRRORED = {"less": "greater", "less_equal": "greater_equal", "greater": "less", "greater_equal": "less_equal"}
#: Relative distance of squares from which on they decide; limits of which the square neither overflows nor underflows.
DOUBT = {np.dtype("f8"): (2.0**-40, 1e-100, 1e100), np.dtype("f4"): (2.0**-16, 1e-12, 1e12)}
#: Elements that are tested together.
BLOCK = 256
#: Arithmetic that is cheap enough to be done for the test and again for the result.
_CHEAP = 60.0


class Compared(Pointwise):
    """``abs(z)`` compared with a number: exact, or by the square as `Code.comparing` says."""

    def __init__(self, code: Code, given: Sequence[Storage], generate: Generate, modulus: Pointwise, limit: Scalar,
                 upper: bool):  # fmt: skip
        super().__init__(np.dtype(bool), modulus.shape, modulus.bounds, given, generate, 1.0)
        self.z, self._upper = modulus.operands[0], upper
        self._low, self._high = limits(code, part(self.z.dtype), limit.value[0])

    def compute(self, code: Code, at: tuple[Index, ...], seen: dict[Any, Any]) -> Element:
        if code.comparing is None:
            return super().compute(code, at, seen)
        type = register(part(self.z.dtype))
        below, above = sides(code, type, square(code, type, self.z.element(code, at, seen)), self._low, self._high)
        if code.comparing:
            sure = code.emit(f"or i1 {below}, {above}")
            doubt = code.emit(f"xor i1 {sure}, true")
            old = code.emit(f"load i1, ptr {code.comparing}")
            code.do(f"store i1 {code.emit(f'or i1 {old}, {doubt}')}, ptr {code.comparing}")
        return (above if self._upper else below,)


def square(c: Code, type: str, parts: Sequence[str]) -> str:
    """The square of the modulus of a number of two parts of an LLVM type."""
    first, second = (c.emit(f"fmul {type} {p}, {p}") for p in parts)
    return c.emit(f"fadd {type} {first}, {second}")


def sides(c: Code, type: str, square: str, low: str, high: str) -> tuple[str, str]:
    """Whether a square is below its limits for sure, and whether it is above them for sure."""
    return c.emit(f"fcmp olt {type} {square}, {low}"), c.emit(f"fcmp ogt {type} {square}, {high}")


def limits(c: Code, t: np.dtype[Any], limit: str) -> tuple[str, str]:
    """The squares below and above which there is no doubt; none are where the square of `limit` cannot serve."""
    type = register(t)
    distance, least, largest = DOUBT[t]
    square = c.emit(f"fmul {type} {limit}, {limit}")
    fits = c.emit(f"and i1 {c.emit(f'fcmp ogt {type} {limit}, {literal(least, t)[0]}')}, "
                  f"{c.emit(f'fcmp olt {type} {limit}, {literal(largest, t)[0]}')}")  # fmt: skip
    found = []
    for factor, never in ((1 - distance, -1.0), (1 + distance, np.inf)):
        bound = c.emit(f"fmul {type} {square}, {literal(factor, t)[0]}")
        found.append(c.emit(f"select i1 {fits}, {type} {bound}, {type} {literal(never, t)[0]}"))
    return found[0], found[1]


def compared(code: Code, name: str, given: Sequence[Storage], generate: Generate) -> Compared | None:
    """The comparison `name` of two operands if it is one of a modulus with a number, and cheap to do twice."""
    if name not in MIRRORED:
        return None
    modulus, limit = given
    if isinstance(modulus, Scalar):
        modulus, limit, name = limit, modulus, MIRRORED[name]
    if not isinstance(limit, Scalar) or not isinstance(modulus, Pointwise) or not modulus.is_modulus:
        return None
    if modulus.operands[0].flops > _CHEAP:
        return None
    return Compared(code, given, generate, modulus, limit, name.startswith("greater"))


def has_comparison(storage: Storage) -> bool:
    """Whether elements of `storage` depend on such a comparison."""
    # What several formulas read is looked at once.
    pending, seen = [storage], {storage}
    while pending:
        x = pending.pop()
        if isinstance(x, Compared):
            return True
        new = [y for y in x.operands if y not in seen] if isinstance(x, Pointwise) else []
        pending += new
        seen.update(new)
    return False


def blockwise(code: Code, storages: Sequence[Storage], lead: tuple[Index, ...], first: Index, last: Index,
              run: Callable[[], None], again: bool = False) -> None:  # fmt: skip
    """Generate what `run` generates for elements `first` to `last` of `storages`: comparing squares where these decide.

    Parameters
    ----------
    code : Code
    storages : sequence of Storage
        What `run` computes elements of.
    lead : tuple of Index
        The leading indices.
    first, last : Index
        On the last axis.
    run : callable
        Generates the elements; it is called for both ways.
    again : bool
        Whether elements may be computed and written a second time: nothing that is read is written.
    """
    doubtful = [x for x in storages if has_comparison(x)]
    if not doubtful:
        run()
        return
    slot = code.alloca("i1")
    code.do(f"store i1 false, ptr {slot}")
    code.comparing = slot
    if again and all(_is_of_truths(x) for x in doubtful):
        # The test has the results, which are wrong only where it fails.
        run()
        code.comparing = None
        with code.when(code.emit(f"load i1, ptr {slot}")):
            run()
        return
    with code.loop(first, last) as k:
        seen: dict[Any, Any] = {}
        for x in doubtful:
            _test(x, code, (*lead, k), seen)
    exact, rough, end = (code.new_label() for _ in range(3))
    code.branch(code.emit(f"load i1, ptr {slot}"), exact, rough)
    for label, comparing in ((exact, None), (rough, "")):
        code.comparing = comparing
        code.start(label)
        with code.scope():
            run()
        code.go(end)
    code.comparing = None
    code.start(end)


def _is_of_truths(x: Storage) -> bool:
    """Whether only truth values are made of comparisons: any are good operands, as wrong ones are not elsewhere."""
    if isinstance(x, Compared) or not has_comparison(x):
        return True
    return isinstance(x, Pointwise) and x.dtype.kind == "b" and all(map(_is_of_truths, x.operands))


def _test(x: Storage, code: Code, at: tuple[Index, ...], seen: dict[Any, Any]) -> None:
    """Compute the comparisons in `x` alone."""
    if isinstance(x, Compared):
        x.element(code, at, seen)
    elif isinstance(x, Pointwise):
        for operand in x.operands:
            if has_comparison(operand):
                _test(operand, code, x.operand_indices(operand, at), seen)
