"""What methods of Python's own streams are made of, as CPython's Lib/random.py has them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.computed import ComputedScalar, scalar_of_array
from lazyarr.tracing.drawing.parameters import (
    Draw,
    Unsupported,
    as_int,
    floats,
    int_value,
    integer,
    require,
    unsupported,
)
from lazyarr.tracing.scalars import python_call
from lazyarr.weak import WeakScalar


def _pythons(distribution: str) -> Callable[..., Any]:
    def normal(draw: Draw, mu: Any = 0.0, sigma: Any = 1.0) -> Any:
        return _python_number(mu) + floats(draw, distribution, None) * _python_number(sigma)

    return normal


def _python_number(x: Any) -> Any:
    """A parameter that Python computes with, not as a float before."""
    if isinstance(x, LazyArray):
        return x if x._scalar and x.dtype == np.float64 else unsupported()
    kind = x.python_type if isinstance(x, WeakScalar) else type(x)
    return x if kind in (int, float) else unsupported()


def _python_random(draw: Draw) -> Any:
    return floats(draw, "random", None)


def _python_uniform(draw: Draw, a: Any, b: Any) -> Any:
    a, b = _python_number(a), _python_number(b)
    return a + (b - a) * floats(draw, "random", None)


def _expovariate(draw: Draw, lambd: Any) -> Any:
    lambd = _python_number(lambd)
    return -python_call(math.log)(1.0 - floats(draw, "random", None)) / lambd


def _randrange(draw: Draw, start: Any, stop: Any = None, step: Any = 1) -> Any:
    if type(step) is not int or step != 1:
        raise Unsupported
    start = python_integer(start)
    low, high = (0, start) if stop is None else (start, python_integer(stop))
    width = high - low
    require(width > 0, "the limits of random integers are in order")
    return low + _one_below(draw, width)


def _python_randint(draw: Draw, a: Any, b: Any) -> Any:
    return _randrange(draw, a, python_integer(b) + 1)


def python_integer(x: Any) -> Any:
    """An int of Python's own: `random` refuses others, or takes them for something else."""
    return unsupported() if isinstance(x, (bool, np.generic, LazyArray)) else integer(x)


def _one_below(draw: Draw, count: Any) -> ComputedScalar:
    return as_int(draw("below", (), int_value(count)), 0, count)


def _python_choice(draw: Draw, seq: Any) -> Any:
    import lazyarr.numpy as lazy

    if isinstance(seq, LazyArray):
        count: Any = seq.shape[0] if seq.ndim else 0
        return seq[_one_below(draw, count)] if type(count) is int and count else unsupported()
    kinds = set(map(type, seq)) if type(seq) in (list, tuple) else set()
    if len(kinds) != 1 or not kinds <= {int, float}:
        raise Unsupported
    return scalar_of_array(lazy.asarray(seq)[_one_below(draw, len(seq))], *kinds)


PYTHON: dict[str, Callable[..., Any]] = {
    "random": _python_random, "uniform": _python_uniform, "randrange": _randrange, "randint": _python_randint,
    "gauss": _pythons("gauss"), "normalvariate": _pythons("normalvariate"), "expovariate": _expovariate,
    "choice": _python_choice,
}  # fmt: skip
