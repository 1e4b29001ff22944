"""Random numbers on several ranks: each rank keeps its part of a large array alone.

They come in the order in which one rank would draw them. A rank draws all of them, some rows at a time, and keeps its
own; where the stream can jump, it draws no others.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from lazyarr import world
from lazyarr.array import LazyArray, rebuild
from lazyarr.eager import is_little
from lazyarr.ir.layout import intersection, length, place
from lazyarr.runtime import is_tracing

#: Functions that make their numbers one by one, each in float64 for single parameters: the names of these, in order.
_ONE_BY_ONE: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("random", "random_sample", "standard_normal", "standard_exponential"), ("size",)),
    **dict.fromkeys(("normal", "laplace", "gumbel", "logistic"), ("loc", "scale", "size")),
    **dict.fromkeys(("exponential", "rayleigh"), ("scale", "size")),
    "uniform": ("low", "high", "size"), "lognormal": ("mean", "sigma", "size"),
    "gamma": ("shape", "scale", "size"), "beta": ("a", "b", "size"), "chisquare": ("df", "size"),
}  # fmt: skip
#: The same, of which the arguments are the shape.
_BY_EXTENTS = {"rand", "randn"}
#: Numbers that are drawn at a time.
_TOGETHER = 1 << 20


def drawn(function: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> LazyArray | None:
    """A large array of random numbers, split over the ranks; None for any other.

    Parameters
    ----------
    function : callable
        Of NumPy.
    name : str
        Its name.
    args, kwargs
        Its arguments.
    """
    together = world.current()
    if together is None or is_tracing():
        return None
    if name in _BY_EXTENTS and not kwargs:
        size, rest = args, {}
    elif name in _ONE_BY_ONE and len(args) <= len(_ONE_BY_ONE[name]):
        rest = dict(zip(_ONE_BY_ONE[name], args, strict=False))
        if rest.keys() & kwargs.keys():
            return None
        rest |= kwargs
        size = rest.pop("size", None)
        if not set(rest) <= set(_ONE_BY_ONE[name]) or any(np.ndim(x) for x in rest.values()):
            return None
    else:
        return None
    shape = _shape(size)
    # (What NumPy computes with at once is to be whole.)
    layout = None if shape is None or is_little(math.prod(shape)) else world.entering(shape)
    if shape is None or layout is None:
        return None

    def rows(count: int) -> Any:
        dims = (count, *shape[1:])
        return function(*dims) if name in _BY_EXTENTS else function(size=dims, **rest)

    own = place(layout, shape, together.communicator.place)
    part = np.empty(tuple(map(length, own)))
    each = math.prod(shape[1:])
    jump = _jump(function) if name == "random" else None
    first, last = own[0] if jump is not None else (0, shape[0])
    if jump is not None:
        jump(first * each)
    step = max(1, _TOGETHER // max(each, 1))
    for start in range(first, last, step):
        chunk = rows(min(step, last - start))
        low, high = intersection((start, start + len(chunk)), own[0])
        if low < high:
            rest_of = tuple(slice(*r) for r in own[1:])
            part[low - own[0][0] : high - own[0][0]] = chunk[(slice(low - start, high - start), *rest_of)]
    if jump is not None:
        jump((shape[0] - last) * each)
    return rebuild(world.Part(part, layout, shape, together))


def _shape(size: Any) -> tuple[int, ...] | None:
    try:
        return tuple(map(operator.index, size)) if isinstance(size, (tuple, list)) else (operator.index(size),)
    except TypeError:
        return None


def _jump(function: Any) -> Any:
    """What leaves out numbers of the stream that a method draws from; None where it cannot."""
    bits = getattr(getattr(function, "__self__", None), "bit_generator", None)
    if type(bits) is not np.random.PCG64 or bits.state["has_uint32"]:
        return None
    return bits.advance
