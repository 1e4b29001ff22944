"""Attributes, dict entries and items of lists that a loop or branch binds anew: variables like those with names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice, zip_longest
from types import FunctionType
from typing import Any

from lazyarr.growing import Growing
from lazyarr.runtime import NotCaptured
from lazyarr.tracing.control.python import State, Undefined


class Place:
    """What one key of a container holds.

    Parameters
    ----------
    holder : list, dict or object
        Of an object, the attributes that stand in its ``__dict__``.
    key : object
    """

    def __init__(self, holder: Any, key: Any):
        self.holder, self.key = holder, key

    @property
    def name(self) -> str:
        """How messages call it."""
        if isinstance(self.holder, (list, dict)):
            return f"[{self.key!r}]"
        return f".{self.key}"

    @property
    def identity(self) -> tuple[int, Any]:
        """What tells it from others, while its container lives."""
        return id(self.holder), self.key

    def get(self) -> Any:
        """What it holds; an `Undefined` where there is nothing."""
        contents = _contents(self.holder)
        if isinstance(contents, dict) and self.key not in contents:
            return Undefined(self.name)
        return contents[self.key]

    def set(self, value: Any) -> None:
        """Let it hold something, or nothing."""
        contents = _contents(self.holder)
        if isinstance(value, Undefined):
            contents.pop(self.key, None)
        else:
            contents[self.key] = value


class Widened:
    """The state of a statement and that of places: the functions that read and write both.

    Parameters
    ----------
    get, set : callable
        Of the variables with names.
    count : int
        How many these are.
    """

    def __init__(self, get: Callable[[], State], set: Callable[[State], None], count: int):
        self._get, self._set, self._count = get, set, count
        self.places: list[Place] = []

    def get(self) -> State:
        """The variables, and what the places hold."""
        return (*self._get(), *(place.get() for place in self.places)) if self.places else self._get()

    def set(self, state: State) -> None:
        """Give variables and places other values; places that were not known when the state was read keep theirs."""
        self._set(state[: self._count])
        for place, value in zip(self.places, state[self._count :], strict=False):
            place.set(value)

    def knows(self, place: Place) -> bool:
        """Whether a place is part of the state."""
        return any(known.identity == place.identity for known in self.places)


def places_of(changed: Iterable[tuple[Any, Any, Any]], why: str) -> list[Place]:
    """The places at which containers hold something else than before.

    Parameters
    ----------
    changed : iterable of (object, object, object)
        Containers, what they held (a copy, or their attributes), and what they hold.
    why : str
        Reason of the error.

    Raises
    ------
    NotCaptured
        If something else has happened to one: a list is longer or shorter, a set is changed, a key is gone.
    """
    found = []
    for x, before, now in changed:
        if isinstance(x, (Growing, set, FunctionType)) or now is None:
            raise NotCaptured(why)
        if isinstance(now, dict):
            if any(a != b for a, b in zip_longest(before, islice(now, len(before)))):
                raise NotCaptured(why)  # a key is gone, or has got another place among the others
            found += [Place(x, key) for key, item in now.items() if key not in before or before[key] is not item]
        elif len(now) != len(before):
            raise NotCaptured(why)
        else:
            found += [Place(x, k) for k in range(len(now)) if now[k] is not before[k]]
    return found


def _contents(holder: Any) -> Any:
    return holder if isinstance(holder, (list, dict)) else holder.__dict__
