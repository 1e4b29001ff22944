"""Variables of a loop that only some of its iterations give a value: whether they have one is carried beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from lazyarr.ir.graph import depth_first
from lazyarr.ir.node import Value
from lazyarr.ops.create import const
from lazyarr.runtime import NotCaptured
from lazyarr.tracing.capture.forms import all_hold
from lazyarr.tracing.capture.slots import Bound, Slot
from lazyarr.tracing.capture.state import form, placeholder, values_of
from lazyarr.tracing.control.python import Undefined

_TRUE = const(True)


def has_value(unbound: dict[Value, Value], values: Iterable[Value]) -> Value:
    """Whether the variable that is these values has one."""
    return all_hold([_TRUE, *(unbound[v] for v in values if v in unbound)])


def entering(
    unbound: dict[Value, Value], x: Any, inits: Sequence[Value], places: Sequence[Value], name: str, is_lost: bool
) -> Bound | None:
    """Note that a variable enters an iteration perhaps without a value; None where it has one for sure.

    Parameters
    ----------
    unbound : dict
        Of values that are perhaps none, whether they are.
    x : object
        The variable before the loop.
    inits, places : sequence of Value
        Its values there, and in an iteration.
    name : str
        Those that begin with two underscores are read only where they have been assigned.
    is_lost : bool
        Whether an iteration is known to take its value away, perhaps.
    """
    if name.startswith("__"):
        return None
    if isinstance(x, Undefined):
        was = const(False)
    else:
        # (A number that is cast to the type which the loop carries is another value.)
        was = has_value(unbound, {*inits, *(values_of(x) if form(x) is not None else ())})
    if was == _TRUE and not is_lost:
        return None
    bound = Bound(was, placeholder(was.type))
    unbound.update(dict.fromkeys(places, bound.place))
    return bound


def carried(
    unbound: dict[Value, Value], slots: Iterable[Slot], roots: Iterable[Value], same: dict[Value, Value],
    carry: Callable[[Value, Value, Value], int],
) -> dict[int, int]:  # fmt: skip
    """Carry which variables have a value, where an iteration or what comes after the loop asks for it.

    Parameters
    ----------
    unbound : dict
        Of values that are perhaps none, whether they are.
    slots : iterable of Slot
        The variables that are carried.
    roots : iterable of Value
        What the iteration gives and checks.
    same : dict
        Placeholders of what no iteration changes, and what that is; they are added to.
    carry : callable
        Carries one value: what it is before, its placeholder, and what it is after an iteration.

    Returns
    -------
    dict
        By the number of the variable, what `carry` gave for it.
    """
    asked = [slot for slot in slots if slot.bound is not None]
    if not asked:
        return {}
    after = [has_value(unbound, slot.results) for slot in asked]
    reached = set(depth_first([*roots, *after]))
    found = {}
    for slot, result in zip(asked, after, strict=True):
        assert slot.bound is not None
        if slot.results is slot.places:
            same[slot.bound.place] = slot.bound.was
        elif result != _TRUE or slot.bound.place.node in reached:
            found[slot.at] = carry(slot.bound.was, slot.bound.place, result)
    return found


def require_value(unbound: dict[Value, Value], name: str, x: Any) -> None:
    """A variable must have a value after an iteration, whichever way its branches went.

    Raises
    ------
    NotCaptured
        If data decides whether it has.
    """
    if form(x) is not None and any(v in unbound for v in values_of(x)):
        raise NotCaptured(f"data decides whether the variable {name!r} has a value after an iteration")
