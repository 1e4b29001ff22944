"""NumPy's streams of random numbers as arrays of words: what a program that draws from one takes and gives back.

Words are the memory of NumPy's generators in C (numpy/random/src), so that NumPy's own functions run on them: for
Mersenne Twister ``key[624]`` of 32 bits, ``pos``, and what `RandomState` keeps of the polar method, whether there is a
normal number left and which; for PCG64 the state and the increment, 128 bits each, and whether half of a number is
left and which.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

_KEY, _POSITION, _HAS_GAUSS, _GAUSS = slice(0, 312), 312, 313, 314
_STATE, _INCREMENT, _HAS_HALF = slice(0, 2), slice(2, 4), 4
_HALF = _HAS_HALF * 2 + 1
#: Kinds of streams, by the class and that of its bit generator, and the number of words of each.
_KINDS = {(np.random.RandomState, np.random.MT19937): "mt19937", (np.random.Generator, np.random.PCG64): "pcg64"}
CLASSES = tuple(base for base, _ in _KINDS)
#: (Streams that stand for others tell when somebody asks for their bit generator.)
_bit_generator = np.random.Generator.bit_generator.__get__
SIZES = {"mt19937": 315, "pcg64": 5}


def bits(stream: Any) -> Any:
    """The bit generator of a stream; None of another object."""
    if isinstance(stream, np.random.Generator):
        return _bit_generator(stream)
    return stream._bit_generator if isinstance(stream, np.random.RandomState) else None


def kind_of(stream: Any) -> str | None:
    """What kind of stream an object is whose state can be words; None of another one."""
    if type(stream).__module__.partition(".")[0] not in ("numpy", "lazyarr"):
        return None  # of a class whose methods may be the user's own
    source = type(bits(stream))
    return next((kind for (base, of), kind in _KINDS.items() if isinstance(stream, base) and source is of), None)


def words_of(stream: Any) -> np.ndarray[Any, Any]:
    """The state of a stream, u64[`SIZES`]."""
    if isinstance(stream, np.random.RandomState):
        state: Any = np.random.RandomState.get_state(stream, legacy=False)
        words = np.zeros(SIZES["mt19937"], np.uint64)
        words[_KEY] = np.ascontiguousarray(state["state"]["key"]).view(np.uint64)
        words[_POSITION], words[_HAS_GAUSS] = state["state"]["pos"], state["has_gauss"]
        words[_GAUSS : _GAUSS + 1].view(np.float64)[0] = state["gauss"]
        return words
    state = bits(stream).state
    words = np.empty(SIZES["pcg64"], np.uint64)
    for place, name in ((_STATE, "state"), (_INCREMENT, "inc")):
        words[place] = np.frombuffer(state["state"][name].to_bytes(16, "little"), np.uint64)
    halves = words.view(np.uint32)
    halves[2 * _HAS_HALF], halves[_HALF] = state["has_uint32"], state["uinteger"]
    return words


def put_words(stream: Any, words: np.ndarray[Any, Any]) -> None:
    """Have a stream go on from a state, u64[`SIZES`]."""
    if isinstance(stream, np.random.RandomState):
        inner = {"key": words[_KEY].view(np.uint32), "pos": int(words[_POSITION])}
        gauss = float(words[_GAUSS : _GAUSS + 1].view(np.float64)[0])
        state = {"bit_generator": "MT19937", "state": inner, "has_gauss": int(words[_HAS_GAUSS]), "gauss": gauss}
        np.random.RandomState.set_state(stream, state)
        return
    halves = words.view(np.uint32)
    bits(stream).state = {
        "bit_generator": "PCG64",
        "state": {
            "state": int.from_bytes(words[_STATE].tobytes(), "little"),
            "inc": int.from_bytes(words[_INCREMENT].tobytes(), "little"),
        },
        "has_uint32": int(halves[2 * _HAS_HALF]),
        "uinteger": int(halves[_HALF]),
    }


def stream_of(kind: str, words: np.ndarray[Any, Any]) -> Any:
    """A stream of a kind that goes on from a state."""
    made: Any = np.random.RandomState() if kind == "mt19937" else np.random.Generator(np.random.PCG64(0))
    put_words(made, words)
    return made


def seeded(kind: str, seed: int) -> Any:
    """A stream of a kind that begins with a seed."""
    return np.random.RandomState(seed) if kind == "mt19937" else np.random.default_rng(seed)


@cache
def some_words(kind: str) -> np.ndarray[Any, Any]:
    """A state of a kind of stream: an example."""
    return words_of(seeded(kind, 7))
