"""The states of NumPy's and Python's streams where they are in memory: copying them takes a microsecond.

What the libraries' own functions make of a state, dicts and tuples, takes up to a hundred. NumPy publishes the address
of a bit generator's state; what is there, and where `RandomState` and Python's `random.Random` keep the rest, is found
out on streams of our own, and used only if these functions agree.
"""

from __future__ import annotations

import ctypes
import random
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

#: A span of a state: where it begins among the bytes of the words, its address, its bytes.
_Span = tuple[int, int, int]
#: Finds the spans of a stream's state, given its bit generator.
Places = Callable[[Any, Any], list[_Span]]

_HEAD = object.__basicsize__
#: Bytes of Mersenne Twister's words, and of these with the place among them; of PCG64's two numbers.
_KEY, _TWISTER, _NUMBERS = 2496, 2500, 32
#: Where words have `RandomState`'s normal number: whether there is one, and which, eight bytes each. (The object has an
#: int and a double, and zeros between them.)
_HAS_GAUSS = 2504
_BYTES: dict[int, Any] = {size: ctypes.c_char * size for size in (4, 8, 16, _NUMBERS, _KEY, _TWISTER)}


def _view(address: int, size: int) -> memoryview:
    return memoryview(_BYTES[size].from_address(address)).cast("B")


def read(spans: list[_Span], words: np.ndarray[Any, Any]) -> None:
    """Copy a state into words."""
    # (Nobody else runs meanwhile: views of memory are copied under the interpreter's lock.)
    target = words.data.cast("B")
    for at, address, size in spans:
        target[at : at + size] = _view(address, size)


def write(spans: list[_Span], words: np.ndarray[Any, Any]) -> None:
    """Copy words into a state."""
    source = words.data.cast("B")
    for at, address, size in spans:
        _view(address, size)[:] = source[at : at + size]


def _pcg64(_: Any, bits: Any) -> list[_Span]:
    """``pcg64_state``: the address of two numbers, whether half of a number is left, which."""
    address = bits.ctypes.state_address
    numbers = ctypes.c_size_t.from_address(address).value
    return [(0, numbers, _NUMBERS), (_NUMBERS, address + 8, 8)]


def _python(stream: Any, _: Any) -> list[_Span]:
    """``RandomObject``: the place, the words."""
    return [(0, id(stream) + _HEAD + 4, _KEY), (_KEY, id(stream) + _HEAD, 4)]


def _twister(offset: int, stream: Any, bits: Any) -> list[_Span]:
    """``mt19937_state``, and what the object keeps."""
    return [(0, bits.ctypes.state_address, _TWISTER), (_HAS_GAUSS, id(stream) + offset, 16)]


def _within(bits: Any, address: int, size: int) -> bool:
    return id(bits) <= address and address + size <= id(bits) + type(bits).__basicsize__


def _gauss_offset() -> int | None:
    """Where `RandomState` keeps a normal number, from an object's beginning."""
    stream = np.random.RandomState(5)
    stream.standard_normal()
    state: Any = stream.get_state(legacy=False)
    size = np.random.RandomState.__basicsize__
    memory = ctypes.string_at(id(stream), size)
    wanted = np.int64(state["has_gauss"]).tobytes() + np.float64(state["gauss"]).tobytes()
    found = [at for at in range(_HEAD, size - 15, 8) if memory[at : at + 16] == wanted]
    return found[0] if len(found) == 1 else None


def candidate(kind: str) -> Places | None:
    """Where states of a kind of stream should be, if reading there is safe: `lazyarr.streams` tries it."""
    if sys.implementation.name != "cpython":
        return None
    if kind == "python":
        return _python if random.Random.__mro__[1].__basicsize__ >= _HEAD + 4 + _KEY else None
    if kind == "pcg64":
        bits: Any = np.random.PCG64(1)
        address = bits.ctypes.state_address
        if not _within(bits, address, 16):
            return None
        return _pcg64 if _within(bits, ctypes.c_size_t.from_address(address).value, _NUMBERS) else None
    bits, offset = np.random.MT19937(1), _gauss_offset()
    if offset is None or not _within(bits, bits.ctypes.state_address, _TWISTER):
        return None
    return lambda stream, source: _twister(offset, stream, source)
