"""Variables of a loop while it is captured: what carries them, and what earlier traces of the body taught."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lazyarr.array import Cell
from lazyarr.ir.node import Value
from lazyarr.soft import Soft

#: What a program requires where a loop without an iteration would have made other arrays.
RUNS_ONCE = "a loop runs at least once"
GOES_ON = "a loop does not end in its first iteration"


@dataclass(frozen=True)
class Bound:
    """Whether a variable has a value: before the loop, and the placeholder of it in an iteration."""

    was: Value
    place: Value


@dataclass
class Slot:
    """A variable that is carried, or wanted after the loop.

    Attributes
    ----------
    at : int
        Its number in `Info.names`.
    form : object
        See `state.form`.
    inits : list of Value
        Its values before the loop.
    places : list of Value
        Placeholders of its values in the body.
    entry : object
        What the body finds as the variable.
    results : list of Value
        Its values after an iteration.
    exact : bool
        Whether `inits` is what the variable was before, not a stand-in.
    frozen : bool
        Whether it is known at run time only whose memory it means after an iteration.
    outer : list of Cell
        Storage from outside that it is a view of then.
    soft : Soft, optional
        Of a number that begins as another type of number: the placeholder of whether it has changed by now.
    bound : Bound, optional
        Of a variable that has perhaps no value.
    """

    at: int
    form: Any
    inits: list[Value]
    places: list[Value]
    entry: Any
    results: list[Value] = field(default_factory=list)
    exact: bool = True
    soft: Soft | None = None
    bound: Bound | None = None
    frozen: bool = False
    outer: list[Cell] = field(default_factory=list)


@dataclass
class Plan:
    """What earlier traces of a body taught.

    Attributes
    ----------
    forms : dict
        Forms of variables that they do not enter the loop in.
    least : dict
        For ints that may become less than they are before the loop, what they are not below.
    soft : dict
        Numbers of which it is known at run time only what type they have: the types that Python's may have.
    lost : set of int
        Variables with a value before the loop, which an iteration takes away, perhaps.
    written : set of Cell
        Storage that holds a constant before the loop, and is changed in it.
    """

    forms: dict[int, Any] = field(default_factory=dict)
    least: dict[int, int] = field(default_factory=dict)
    soft: dict[int, frozenset[type]] = field(default_factory=dict)
    lost: set[int] = field(default_factory=set)
    written: set[Cell] = field(default_factory=set)
    traces: int = 0
