"""What is known of a loop's first iteration: whether guards of numbers' types can hold there.

``step = 1`` before ``while np.abs(step) > tolerance: step = f(x)``: the program would take the int for the float that
it is later, and NumPy's ``abs`` of it is another number. Such an iteration is written out before the loop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lazyarr.ir.graph import Check, depth_first
from lazyarr.ir.node import Node, Value
from lazyarr.ops.create import const
from lazyarr.runtime import NotCaptured, constant_data, record_all
from lazyarr.tracing.capture.forms import ANOTHER_NUMBER
from lazyarr.tracing.capture.slots import Slot
from lazyarr.tracing.capture.state import Snapshot, form
from lazyarr.tracing.control.python import Undefined


def begins_alike(snapshot: Snapshot, slot: Slot) -> bool:
    """Whether a variable is before the loop what the loop carries it as."""
    before = snapshot.variables[slot.at]
    return isinstance(before, Undefined) or form(before) == slot.form


def require_alike(
    names: Sequence[str], slots: Sequence[Slot], certain: Mapping[Value, Value],
    tested: Sequence[Check], checks: Sequence[Check],
) -> None:  # fmt: skip
    """Require that the first iteration can be one of the loop's.

    Parameters
    ----------
    names : sequence of str
        Of the loop's variables.
    slots : sequence of Slot
    certain : mapping
        Whether numbers are what the loop takes them for: before the loop, by what says so in an iteration.
    tested, checks : sequence of Check
        What the condition of a ``while`` requires, and what the body does.

    Raises
    ------
    NotCaptured
        If a guard of a number's type fails there in every call.
    """
    before = {**certain, **{place: init for s in slots for place, init in zip(s.places, s.inits, strict=True)}}
    for slot in slots:
        if slot.soft is None or before[slot.soft.certain] != const(False):
            continue
        flag = slot.soft.certain
        # In the condition, what a guard that need not hold stands beside is mostly what ends the loop.
        fails = any(_needs(c.ok, flag) and _holds(c.ok, before) is not True for c in tested)
        if fails or any(_needs(c.ok, flag) and _holds(c.ok, before) is False for c in checks):
            raise NotCaptured(f"the variable {names[slot.at]!r} {ANOTHER_NUMBER}")


def _needs(condition: Value, flag: Value) -> bool:
    return flag.node in depth_first([condition])


def _holds(condition: Value, before: Mapping[Value, Value]) -> bool | None:
    """Whether a condition of an iteration holds in the first one; None if that is not known."""
    made: dict[Node, tuple[Value, ...]] = {}

    def entered(value: Value) -> Value:
        return before[value] if value in before else made[value.node][value.index] if value.node in made else value

    for node in depth_first([condition]):
        if any(True for _ in node.regions):
            return None
        if node.operands:
            made[node] = record_all(node.op, *map(entered, node.operands), **node.kw)
    found = constant_data(entered(condition))
    return None if found is None else bool(np.all(found))
