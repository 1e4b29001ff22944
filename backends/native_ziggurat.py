"""The tables of NumPy's ziggurats, asked of NumPy itself: which words become numbers at once, and which numbers.

(G. Marsaglia and W. Tsang, Journal of Statistical Software 5, 2000; in NumPy as J. Doornik's "An improved ziggurat
method", 2005.) A word has the number of one of 256 layers and a magnitude. Most magnitudes, those below the layer's
limit, are multiplied by the layer's width and are a number; NumPy's function decides about the others. What it does
with words of our choice says the limits and widths to the bit, whatever the version.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

#: A magnitude that is below the limits of all layers that have one.
_SMALL = 2**20
#: How far limits are at most from what the widths of layers say.
_NEAR = 4


class Form(NamedTuple):
    """Where the parts of a word are: bits below the layer, bits between it and the magnitude, bits of that."""

    below: int
    between: int
    magnitude: int

    def word(self, layer: int, magnitude: int) -> int:
        """The word of a layer and a magnitude."""
        return layer << self.below | magnitude << self.below + 8 + self.between


FORMS = {"standard_normal": Form(0, 1, 52), "standard_exponential": Form(3, 0, 53)}


class Tables(NamedTuple):
    """Of each layer the limit of magnitudes, and the width."""

    limits: list[int]
    widths: list[float]


@cache
def tables(distribution: str) -> Tables | None:
    """The tables of a distribution; None if NumPy's function does not what it is known to do."""
    form, ask = FORMS[distribution], _question(f"random_{distribution}")
    if ask is None:
        return None
    widths = [(ask(form.word(layer, _SMALL)) or 0.0) / _SMALL for layer in range(256)]
    limits = [_limit(ask, form, layer, widths) for layer in range(256)]
    for layer in range(0, 256, 5):
        magnitude = limits[layer] * 5 // 7
        if limits[layer] and ask(form.word(layer, magnitude)) != magnitude * widths[layer]:
            return None
    return Tables(limits, widths) if sum(map(bool, limits)) >= 200 else None


def _limit(ask: Callable[[int], float | None], form: Form, layer: int, widths: list[float]) -> int:
    """The least magnitude of a layer that is no number at once."""
    if not widths[layer]:
        return 0
    # A layer's limit is the width of the next narrower one: nearly always at hand.
    guess = int(widths[layer - 1] / widths[layer] * 2.0**form.magnitude)
    low, high = guess - _NEAR, guess + _NEAR
    if not (0 < low and high < 2**form.magnitude and _is(ask, form, layer, low) and not _is(ask, form, layer, high)):
        low, high = _SMALL, 2**form.magnitude
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _is(ask, form, layer, middle) else (low, middle)
    return high


def _is(ask: Callable[[int], float | None], form: Form, layer: int, magnitude: int) -> bool:
    return ask(form.word(layer, magnitude)) is not None


def _question(routine: str) -> Callable[[int], float | None] | None:
    """What tells which number a routine of NumPy's makes of a word; None where it takes more than that word."""
    library = ctypes.CDLL(import_module("numpy.random._generator").__file__)
    if not hasattr(library, routine):
        return None
    function = getattr(library, routine)
    function.restype, function.argtypes = ctypes.c_double, [ctypes.c_void_p]
    word, taken = 0, 0

    def next64(_: int) -> int:
        nonlocal taken
        taken += 1
        # (Behind the first one: a word that ends any search.)
        return word if taken == 1 else 200 << 3 | _SMALL << 11

    def half(_: int) -> float:
        nonlocal taken
        taken += 1
        return 0.5

    types = (ctypes.c_uint64, next64), (ctypes.c_uint32, next64), (ctypes.c_double, half)
    kept = [ctypes.CFUNCTYPE(result, ctypes.c_void_p)(answer) for result, answer in types]
    pointers: list[Any] = [ctypes.cast(f, ctypes.c_void_p).value for f in kept]
    bitgen = (ctypes.c_void_p * 5)(None, pointers[0], pointers[1], pointers[2], pointers[0])

    def ask(asked: int) -> float | None:
        nonlocal word, taken
        word, taken = asked, 0
        found = float(function(ctypes.addressof(bitgen)))
        return found if taken == 1 and kept else None

    return ask
