"""Streams of random numbers as arrays of words: what a program that draws from one takes and gives back.

Words are the memory of NumPy's generators in C (numpy/random/src), so that NumPy's own functions run on them: for
Mersenne Twister ``key[624]`` of 32 bits, ``pos``, and what `RandomState` and Python's `random` keep, whether there is a
normal number left and which; for PCG64 the state and the increment, 128 bits each, and whether half of a number is left
and which.
"""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import numpy as np

from lazyarr.stream_memory import Places, candidate, read, write

_KEY, _POSITION, _HAS_GAUSS, _GAUSS = slice(0, 312), 312, 313, 314
_STATE, _INCREMENT, _HAS_HALF = slice(0, 2), slice(2, 4), 4
_HALF = _HAS_HALF * 2 + 1
#: Kinds of NumPy's streams, by the class and that of its bit generator.
_KINDS = {(np.random.RandomState, np.random.MT19937): "mt19937", (np.random.Generator, np.random.PCG64): "pcg64"}
#: The class of the streams of each kind, most of them.
BASES: dict[str, type] = {**{kind: base for (base, _), kind in _KINDS.items()}, "python": random.Random}
_SOURCES: dict[str, type] = {**{kind: source for (_, source), kind in _KINDS.items()}, "python": random.Random}
#: Classes of streams.
CLASSES = (np.random.RandomState, np.random.Generator, random.Random)
# (Streams that stand for others tell when somebody asks for their bit generator.)
_bit_generator = np.random.Generator.bit_generator.__get__
_legacy_generator = vars(np.random.RandomState)["_bit_generator"].__get__
#: The number of words of each kind of stream; "python" is `random.Random`.
SIZES = {"mt19937": 315, "pcg64": 5, "python": 315}


def bits(stream: Any) -> Any:
    """The bit generator of a stream, or what is one itself; None of another object."""
    if isinstance(stream, np.random.Generator):
        return _bit_generator(stream)
    if type(stream) is random.Random:
        return stream
    return _legacy_generator(stream) if isinstance(stream, np.random.RandomState) else None


def kind_of(stream: Any) -> str | None:
    """What kind of stream an object is whose state can be words; None of another one."""
    if type(stream) is random.Random:
        return "python"
    if type(stream).__module__.partition(".")[0] not in ("numpy", "lazyarr"):
        return None  # of a class whose methods may be the user's own
    source = type(bits(stream))
    return next((kind for (base, of), kind in _KINDS.items() if isinstance(stream, base) and source is of), None)


def words_of(stream: Any) -> np.ndarray[Any, Any]:
    """The state of a stream, u64[`SIZES`]."""
    return _words(_class_kind(stream), stream, bits(stream))


def words_if(kind: str, stream: Any) -> np.ndarray[Any, Any] | None:
    """The state of a stream if it is of a kind, whose class it has."""
    source = bits(stream)
    return _words(kind, stream, source) if type(source) is _SOURCES[kind] else None


def _words(kind: str, stream: Any, source: Any) -> np.ndarray[Any, Any]:
    find = places(kind)
    if find is None:
        return words_by_name(stream)
    words = blank(stream, kind)
    if kind == "python":
        read(find(stream, source), words)
    else:
        with source.lock:
            read(find(stream, source), words)
    return words


def put_words(stream: Any, words: np.ndarray[Any, Any]) -> None:
    """Have a stream go on from a state, u64[`SIZES`]."""
    kind = _class_kind(stream)
    find = places(kind)
    if find is None:
        put_words_by_name(stream, words)
        return
    source, words = bits(stream), np.ascontiguousarray(words)
    if kind == "python":
        write(find(stream, source), words)
        finish(stream, kind, words)
    else:
        with source.lock:
            write(find(stream, source), words)


def _class_kind(stream: Any) -> str:
    return "pcg64" if isinstance(stream, np.random.Generator) else (
        "mt19937" if isinstance(stream, np.random.RandomState) else "python"
    )  # fmt: skip


def blank(stream: Any, kind: str) -> np.ndarray[Any, Any]:
    """Words without a state, but for what is an attribute of the stream."""
    words = np.zeros(SIZES[kind], np.uint64)
    if kind == "python" and stream.gauss_next is not None:
        words[_HAS_GAUSS] = 1
        words[_GAUSS : _GAUSS + 1].view(np.float64)[0] = stream.gauss_next
    return words


def finish(stream: Any, kind: str, words: np.ndarray[Any, Any]) -> None:
    """Set what is an attribute of the stream."""
    if kind == "python":
        stream.gauss_next = _left(words)


def _left(words: np.ndarray[Any, Any]) -> float | None:
    """The normal number that Python's streams keep."""
    return float(words[_GAUSS : _GAUSS + 1].view(np.float64)[0]) if words[_HAS_GAUSS] else None


def words_by_name(stream: Any) -> np.ndarray[Any, Any]:
    """The state of a stream by the functions of its library."""
    if isinstance(stream, np.random.RandomState):
        state: Any = np.random.RandomState.get_state(stream, legacy=False)
        words = np.zeros(SIZES["mt19937"], np.uint64)
        words[_KEY] = np.ascontiguousarray(state["state"]["key"]).view(np.uint64)
        words[_POSITION], words[_HAS_GAUSS] = state["state"]["pos"], state["has_gauss"]
        words[_GAUSS : _GAUSS + 1].view(np.float64)[0] = state["gauss"]
        return words
    if isinstance(stream, random.Random):
        _, (*key, position), gauss = stream.getstate()
        words = np.zeros(SIZES["python"], np.uint64)
        words[_KEY] = np.array(key, np.uint32).view(np.uint64)
        words[_POSITION], words[_HAS_GAUSS] = position, gauss is not None
        words[_GAUSS : _GAUSS + 1].view(np.float64)[0] = gauss or 0.0
        return words
    state = bits(stream).state
    words = np.empty(SIZES["pcg64"], np.uint64)
    for place, name in ((_STATE, "state"), (_INCREMENT, "inc")):
        words[place] = np.frombuffer(state["state"][name].to_bytes(16, "little"), np.uint64)
    halves = words.view(np.uint32)
    halves[2 * _HAS_HALF], halves[_HALF] = state["has_uint32"], state["uinteger"]
    return words


def put_words_by_name(stream: Any, words: np.ndarray[Any, Any]) -> None:
    """Have a stream go on from a state by the functions of its library."""
    if isinstance(stream, np.random.RandomState):
        inner = {"key": words[_KEY].view(np.uint32), "pos": int(words[_POSITION])}
        gauss = float(words[_GAUSS : _GAUSS + 1].view(np.float64)[0])
        state = {"bit_generator": "MT19937", "state": inner, "has_gauss": int(words[_HAS_GAUSS]), "gauss": gauss}
        np.random.RandomState.set_state(stream, state)
        return
    if isinstance(stream, random.Random):
        stream.setstate((3, (*words[_KEY].view(np.uint32).tolist(), int(words[_POSITION])), _left(words)))
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
    made = seeded(kind, 0)
    put_words(made, words)
    return made


def seeded(kind: str, seed: int) -> Any:
    """A stream of a kind that begins with a seed."""
    makers: dict[str, Any] = {"mt19937": np.random.RandomState, "pcg64": np.random.default_rng, "python": random.Random}
    return makers[kind](seed)


@cache
def some_words(kind: str) -> np.ndarray[Any, Any]:
    """A state of a kind of stream: an example."""
    return words_of(seeded(kind, 7))


@cache
def places(kind: str) -> Places | None:
    """What finds the states of a kind of stream in memory; None where they are not where we think."""
    found = candidate(kind)
    return found if found is not None and all(_agrees(kind, found, seed) for seed in range(6)) else None


def _agrees(kind: str, found: Places, seed: int) -> bool:
    """Whether a state in memory is what the library's own functions say, and what is written there too."""
    stream, other = seeded(kind, seed), seeded(kind, 99)
    for _ in range(300 * (seed // 2)):
        stream.random()
    if seed % 2:
        # (What is left: a normal number, half of another one.)
        stream.gauss(0.0, 1.0) if kind == "python" else stream.standard_normal()
        if kind == "pcg64":
            stream.random(dtype=np.float32)
    wanted, words = words_by_name(stream), blank(stream, kind)
    read(found(stream, bits(stream)), words)
    write(found(other, bits(other)), wanted)
    finish(other, kind, wanted)
    return bool((words == wanted).all() and (words_by_name(other) == wanted).all())
