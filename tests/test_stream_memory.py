"""States of streams as they are in memory, and direct calls that draw: what the libraries' own functions say."""

from __future__ import annotations

import copy
import pickle
import random
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr import streams
from lazyarr.backends.native_python import supported
from tests.direct_calls import general_calls

KINDS = tuple(streams.SIZES)
direct = pytest.mark.skipif(not supported(), reason="another Python")


class Own(np.random.RandomState):
    """A class of somebody else's, with attributes."""


def advanced(kind: str, seed: int) -> Any:
    """A stream somewhere in its sequence, with half a number or a normal number left in some cases."""
    stream = streams.seeded(kind, seed)
    for k in range(37 * seed % 700):
        stream.random() if k % 3 else (stream.gauss(0, 1) if kind == "python" else stream.normal())
    if kind == "pcg64" and seed % 2:
        stream.integers(5, dtype=np.int32)
    return stream


def following(stream: Any) -> list[float]:
    """What it gives next."""
    normal = stream.gauss if isinstance(stream, random.Random) else stream.normal
    return [*(normal(0, 1) for _ in range(3)), *(stream.random() for _ in range(700)), normal(0, 1)]


@pytest.mark.parametrize("kind", KINDS)
def test_states_are_found_in_memory(kind: str) -> None:
    assert streams.places(kind) is not None


@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_states(kind: str, by_name: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if by_name:
        monkeypatch.setattr(streams, "places", lambda _: None)
    for seed in range(40):
        stream = advanced(kind, seed)
        words = streams.words_of(stream)
        assert (words == streams.words_by_name(stream)).all()
        made = streams.stream_of(kind, words)
        assert (streams.words_by_name(made) == words).all()
        copied, again = copy.deepcopy(made), pickle.loads(pickle.dumps(made))
        assert following(made) == following(stream) == following(copied) == following(again)


def test_a_state_of_a_subclass() -> None:
    stream, plain = Own(4), np.random.RandomState(4)
    assert stream.normal() == plain.normal()
    words = streams.words_of(stream)
    assert (words == streams.words_by_name(plain)).all()
    other = Own(9)
    streams.put_words(other, words)
    assert following(other) == following(plain)


@pytest.mark.parametrize("kind", KINDS)
def test_words_that_are_read_only_or_a_part(kind: str) -> None:
    words = streams.words_of(advanced(kind, 9))
    wide = np.repeat(words, 2)
    wide.flags.writeable = False
    made = streams.seeded(kind, 0)
    streams.put_words(made, wide[::2])
    assert (streams.words_by_name(made) == words).all()


@pytest.mark.parametrize("kind", KINDS)
def test_states_while_another_thread_draws(kind: str) -> None:
    stream, count = streams.seeded(kind, 3), 30_000
    same = streams.seeded(kind, 3)
    place = {same.random(): k for k in range(count + 1)}
    found: list[np.ndarray[Any, Any]] = []
    thread = threading.Thread(target=lambda: [stream.random() for _ in range(count)])
    thread.start()
    while thread.is_alive():
        found.append(streams.words_of(stream))
    thread.join()
    # Each is a state between two numbers of the sequence.
    places = [place[streams.stream_of(kind, words).random()] for words in found[::7]]
    assert places == sorted(places)


def total(stream: Any, n: Any, x: Any) -> Any:
    s = 0.0
    for _ in range(n):
        s += stream.random()
        x[0] += s
    return s


def from_all(n: Any, x: Any) -> Any:
    for k in range(n):
        x[k] = np.random.random()
    return x.sum()


def from_pythons(n: Any, x: Any) -> Any:
    for k in range(n):
        x[k] = random.random() + random.gauss(0.0, 1.0)
    return x.sum()


def indexed(stream: Any, n: Any, x: Any) -> Any:
    for _ in range(n):
        x[stream.integers(10) + n - 3] += 1.0
    return x.sum()


def state(stream: Any) -> Any:
    return [] if stream is None else streams.words_by_name(stream).tolist()


def check(function: Callable[..., Any], make: Callable[[], Any], sizes: tuple[int, ...]) -> list[bool]:
    """Calls of both with streams that go on: numbers, arrays, states. Whether each was a direct one."""
    accelerated: Any = lazyarr.accelerate(always=True)(function)
    given = [[s] if s is not None else [] for s in (make(), make())]
    found = []
    for n in sizes:
        plain, own = np.zeros(12), np.zeros(12)
        random.seed(8)
        np.random.seed(8)
        expected = function(*given[0], n, plain)
        left = state(np.random.rand.__self__), state(random.random.__self__)  # type: ignore[attr-defined]
        random.seed(8)
        np.random.seed(8)
        with general_calls() as general:
            assert accelerated(*given[1], n, own) == expected
        assert (plain == own).all()
        assert (state(np.random.rand.__self__), state(random.random.__self__)) == left  # type: ignore[attr-defined]
        assert [state(s) for s in given[0]] == [state(s) for s in given[1]]
        found.append(not general)
    return found


@direct
@pytest.mark.parametrize("kind", KINDS)
def test_direct_calls_draw(kind: str) -> None:
    assert check(total, lambda: advanced(kind, 11), (4, 5, 6, 7, 9, 9, 12))[-3:] == [True] * 3


@direct
@pytest.mark.parametrize("function", [from_all, from_pythons])
def test_direct_calls_draw_from_global_streams(function: Any) -> None:
    assert check(function, lambda: None, (4, 5, 6, 7, 9, 9, 12))[-3:] == [True] * 3


@direct
@pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")
def test_a_call_that_fails_leaves_the_stream() -> None:
    accelerated: Any = lazyarr.accelerate(always=True)(indexed)
    stream, same = np.random.default_rng(2), np.random.default_rng(2)
    for n in (3, 3, 4, 4, 5, 5):
        assert accelerated(stream, n, np.zeros(16)) == indexed(same, n, np.zeros(16))
    assert state(stream) == state(same)
    with pytest.raises(IndexError):
        indexed(same, 300, np.zeros(16))
    with pytest.raises(IndexError):
        accelerated(stream, 300, np.zeros(16))
    assert following(stream) == following(same)


@direct
def test_other_streams_are_for_others() -> None:
    accelerated: Any = lazyarr.accelerate(always=True)(total)
    makers: list[Any] = [
        lambda: np.random.default_rng(1), lambda: np.random.RandomState(1), lambda: random.Random(1), lambda: Own(1),
        lambda: np.random.Generator(np.random.PCG64(1)), lambda: np.random.Generator(np.random.MT19937(1)),
        lambda: np.random.Generator(np.random.Philox(1)), lambda: np.random.RandomState(np.random.PCG64(1)),
    ]  # fmt: skip
    for _ in range(4):
        for make in makers:
            plain, own = make(), make()
            for n in (5, 6):
                assert accelerated(own, n, np.zeros(2)) == total(plain, n, np.zeros(2))
            assert [plain.random() for _ in range(9)] == [own.random() for _ in range(9)]


@direct
@pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")
def test_two_streams_of_one_bit_generator() -> None:
    def both(one: Any, two: Any, n: Any) -> Any:
        s = 0.0
        for _ in range(n):
            s += one.random() - two.random() * 3.0
        return s

    accelerated: Any = lazyarr.accelerate(always=True)(both)
    for k in range(5):
        streams_of = []
        for _ in range(2):
            bits = np.random.PCG64(k)
            shared = np.random.Generator(bits), np.random.Generator(bits)
            streams_of.append((np.random.default_rng(1), np.random.default_rng(2)) if k % 2 else shared)
        assert both(*streams_of[0], 5 + k) == accelerated(*streams_of[1], 5 + k)
        assert [state(s) for s in streams_of[0]] == [state(s) for s in streams_of[1]]
    one = np.random.default_rng(5), np.random.default_rng(5)
    assert both(one[0], one[0], 20) == accelerated(one[1], one[1], 20)


@direct
def test_threads_with_streams_of_their_own() -> None:
    accelerated: Any = lazyarr.accelerate(always=True)(total)
    for n in (50, 51, 52, 53):
        accelerated(np.random.default_rng(0), n, np.zeros(2))
    wrong: list[int] = []

    def work(seed: int) -> None:
        own, plain = np.random.default_rng(seed), np.random.default_rng(seed)
        for k in range(200):
            if accelerated(own, 100 + k, np.zeros(2)) != total(plain, 100 + k, np.zeros(2)):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
