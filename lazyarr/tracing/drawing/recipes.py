"""Which methods of streams are part of programs, and what they are made of."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from lazyarr.ir.node import Value
from lazyarr.ops.draws import SEED
from lazyarr.runtime import record
from lazyarr.tracing.drawing.numpys import LEGACY, MODERN
from lazyarr.tracing.drawing.parameters import Draw, Unsupported, int_value, integer, require
from lazyarr.tracing.drawing.pythons import PYTHON, python_integer

_RECIPES = {"mt19937": LEGACY, "pcg64": MODERN, "python": PYTHON}
#: The least seed that `RandomState` does not take.
_SEEDS = 2**32


def recipe(kind: str, name: str) -> Callable[[Draw, tuple[Any, ...], dict[str, Any]], Any] | None:
    """What draws as a method of a kind of stream does; None where only NumPy does."""
    found = _RECIPES[kind].get(name)
    if found is None:
        return None

    def call(draw: Draw, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            bound = _signature(found).bind(draw, *args, **kwargs)
        except TypeError:
            raise Unsupported from None  # NumPy's own message is better.
        return found(*bound.args, **bound.kwargs)

    return call


def is_drawn(kind: str | None, name: str) -> bool:
    """Whether a method of a kind of stream can be part of a program."""
    return kind is not None and (name in _RECIPES[kind] or name == "seed" and kind != "pcg64")


@cache
def _signature(function: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(function)


def seeding(kind: str, seed: Any) -> Value:
    """The state of a stream of a kind that a seed makes, an int."""
    seed = python_integer(seed) if kind == "python" else integer(seed)
    what = "a seed of random numbers is not negative, and fits 32 bits"
    if kind != "python":
        require(seed >= 0, what)
    if kind == "mt19937":
        require(seed < _SEEDS, what)
    return record(SEED, int_value(seed), stream=kind)
