"""Variables of two forms made one: what a loop carries, and a branch gives, has one type whichever way was taken."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.computed import computed, convert, guard_exact, is_number
from lazyarr.ir.extents import Length
from lazyarr.ir.node import Value
from lazyarr.ir.op import OPS
from lazyarr.ir.types import ArrayType
from lazyarr.ops.create import const
from lazyarr.ops.elementwise import ELEMENTWISE
from lazyarr.runtime import NotCaptured, constant_data, record
from lazyarr.tracing.capture.state import form, ragged, ragged_values, types_of, values_of
from lazyarr.tracing.control.python import Undefined

#: Why a loop is not captured that a variable enters as another kind of thing (None) than it has later.
CHANGES_KIND = "a variable changes its kind in a loop"
#: The same of a loop that asks a condition which draws random numbers, say.
TEST_CHANGES = "the condition of the loop changes variables or arrays"
#: The same of a variable that holds a number, after its name.
ANOTHER_NUMBER = "begins as another type of number than it has later"


def zeros_of(type: ArrayType) -> Value:
    """Something of a type, for a variable that has no value yet."""
    value = const(0, type.dtype)
    lengths = [n.scalar for n in type.shape if isinstance(n, Length)]
    if lengths:
        bounds = tuple(n.bound for n in type.shape if isinstance(n, Length))
        shape = tuple("n" if isinstance(n, Length) else n for n in type.shape)
        return record(OPS["spread"], value, *lengths, shape=shape, bounds=bounds)
    return record(OPS["full"], value, shape=type.shape) if type.shape else value


def converted(x: Any, wanted: Any) -> list[Value]:
    """The values of a variable, as values of another form that it is promoted to.

    Raises
    ------
    NotCaptured
        If it cannot be.
    """
    found = form(x)
    if found == wanted:
        return values_of(x)
    if wanted[0] == "ragged" and isinstance(x, LazyArray):
        return ragged_values(x._value(), wanted)
    if is_number(x) and wanted[0] in ("number", "scalar"):
        number = computed(x)
        if number.kind is int and wanted[1] not in (int, np.dtype(np.int64)):
            guard_exact(number)
        if wanted[0] == "number":
            return [convert(number, wanted[1]).value]
        return [record(OPS["cast"], number.weak_value(wanted[1]), dtype=wanted[1])]
    if isinstance(x, Undefined):
        return [zeros_of(t) for t in types_of(wanted)]
    raise NotCaptured(CHANGES_KIND)


#: The kinds of NumPy scalars that a Python number may become.
_HOLDING = {bool: "b", int: "iufc", float: "fc", complex: "c"}


def all_hold(conditions: Iterable[Value]) -> Value:
    """Whether all of some conditions hold."""
    first, *others = dict.fromkeys(conditions)
    for other in others:
        first = record(ELEMENTWISE["logical_and"], first, other)
    return first


def joined(name: str, before: Any, after: Any) -> Any:
    """The form of a variable that enters a body as one and leaves it as another."""
    if before is None or before == after:
        return after
    if before[0] == "number" and after[0] == "number" and bool not in (before[1], after[1]):
        ranks = [int, float, complex]
        return "number", max(before[1], after[1], key=ranks.index)
    if before[0] == "number" and after[0] == "scalar" and after[1].kind in _HOLDING[before[1]]:
        return after
    if before[0] == after[0] == "scalar":
        return "scalar", np.promote_types(before[1], after[1])
    if before[0] in ("array", "ragged") and after[0] == "array":
        wanted = ragged(before, after)
        if wanted is not None:
            return wanted
    raise NotCaptured(f"the variable {name!r} changes its type or shape in the loop")


def is_exact(value: Value, type: ArrayType) -> bool:
    """Whether a number is a known int that another type holds, and its neighbours: it compares with others alike."""
    known = constant_data(value)
    if known is None or known.dtype.kind not in "iub" or type.dtype.kind != "f":
        return False
    return bool(abs(int(known)) < 2 ** np.finfo(type.dtype).nmant)
