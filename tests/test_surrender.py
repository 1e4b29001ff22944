"""Arrays that a program writes into instead of a copy: those that nobody else has, and only those."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import lazyarr
import lazyarr.numpy as lnp
from lazyarr import interrupts, runtime
from lazyarr.backends.base import GivenUp
from lazyarr.surrender import LOST
from tests.evaluations import all_recorded, noted_runs

ROWS, COLUMNS = 40, 10_000


@pytest.fixture(autouse=True, params=[1, 1000], ids=["compiled", "interpreted"])
def recorded(request: pytest.FixtureRequest) -> Iterator[None]:
    with all_recorded(compile_after=request.param):
        yield


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many arrays each program was given to destroy."""
    return noted_runs(monkeypatch, lambda program, surrendered: len(surrendered))


def history() -> tuple[Any, Any]:
    """An array, and a lazy one that has the same in memory of its own."""
    whole = np.random.default_rng(0).random((ROWS, COLUMNS))
    lazy = lnp.asarray(whole.copy())
    lazy[0] += 1.0  # (what comes of a program is nobody's)
    float(lazy[0, 0])
    whole[0] += 1.0
    return whole, lazy


def address(lazy: Any) -> int:
    found: int = lazy._cell.value.node.data.ctypes.data
    return found


def test_rows_are_written_in_place(taken: list[int]) -> None:
    want, h = history()
    del taken[:]
    places = set()
    for t in range(12):
        for a, np_ in ((want, np), (h, lnp)):
            a[t + 1] = 0.5 * a[t] + np_.sin(a[t + 2])
            a[t + 5, 10:-10] -= a[t + 1, 20:]
        assert float(h[t + 1, 7]) == pytest.approx(want[t + 1, 7])
        places.add(address(h))
    assert len(places) == 1
    assert taken.count(1) == 12
    np.testing.assert_allclose(np.asarray(h), want, rtol=1e-13, atol=1e-13)


def test_what_is_made_anew_takes_the_place_of_what_it_is_made_of(taken: list[int]) -> None:
    """Element by element: the result is written over the array that nobody has any more."""
    want, h = history()
    other = np.random.default_rng(1).random((ROWS, COLUMNS))
    mine = lnp.asarray(other.copy())
    del taken[:]
    places = set()
    for t in range(8):
        want, h = want - 0.1 * np.sin(want) * other, h - 0.1 * lnp.sin(h) * mine
        want *= 1.5
        h *= 1.5
        want += t
        h += t
        assert float(h[t, 7]) == pytest.approx(want[t, 7])
        places.add(address(h))
    assert len(places) == 1
    assert taken.count(1) == 8
    np.testing.assert_allclose(np.asarray(h), want, rtol=1e-13, atol=1e-13)
    np.testing.assert_array_equal(np.asarray(mine), other)


@pytest.mark.parametrize("keeps", ["lazy", "numpy", "view", "pending"])
def test_what_is_made_anew_of_what_somebody_has_is_apart(keeps: str, taken: list[int]) -> None:
    want, h = history()
    before = want.copy()
    ways: dict[str, Any] = {"lazy": lambda x: x, "numpy": np.asarray, "view": lambda x: x[::-1, 3:],
                            "pending": lambda x: x + x}  # fmt: skip
    kept = ways[keeps](h)
    h = h * 2 + 1
    float(h[0, 0])
    h = lnp.sqrt(h) - h
    float(h[0, 0])
    expected = {"view": before[::-1, 3:], "pending": before + before}.get(keeps, before)
    np.testing.assert_array_equal(np.asarray(kept), expected)
    np.testing.assert_allclose(np.asarray(h), np.sqrt(before * 2 + 1) - (before * 2 + 1), rtol=1e-13, atol=1e-13)


def test_what_is_read_elsewhere_is_not_made_anew_in_its_place() -> None:
    """By other elements: reversed, moved, summed up."""
    want, h = history()
    for _ in range(4):
        want = want + want[::-1] * 0.25
        want = want - np.roll(want, 1, axis=0) / want.max()
        want = want + want[3] * 0.5
        h = h + h[::-1] * 0.25
        h = h - lnp.roll(h, 1, axis=0) / h.max()
        h = h + h[3] * 0.5
        float(h[1, 1])
    np.testing.assert_allclose(np.asarray(h), want, rtol=1e-12, atol=1e-12)


def test_what_somebody_was_given_stays() -> None:
    want, h = history()
    seen = [(np.asarray(h), want.copy())]
    for t in range(6):
        for a in (want, h):
            a[t + 1] = 0.5 * a[t] - 1
        float(h[t + 1, 0])
        if t % 2:
            seen.append((np.asarray(h), want.copy()))
            seen.append((np.asarray(h[t : t + 3]), want[t : t + 3].copy()))
    for found, expected in seen:
        np.testing.assert_array_equal(found, expected)


def test_views_see_what_is_written() -> None:
    want, h = history()
    rows = [(want[3], h[3]), (want[:, 5], h[:, 5]), (want[::2][1:].T, h[::2][1:].T)]
    for t in range(6):
        for a in (want, h):
            a[t + 1] = a[t] * 0.5 - 1
        float(h[t + 1, 0])
        for expected, found in rows:
            np.testing.assert_array_equal(np.asarray(found), expected)
    for expected, found in rows:
        expected[1:3] = 7.0
        found[1:3] = 7.0
        assert float(h[0, 0]) == want[0, 0]
    np.testing.assert_array_equal(np.asarray(h), want)


def test_work_that_is_pending_reads_what_was_there() -> None:
    want, h = history()
    for t in range(4):
        double, expected = h * 2.0, want * 2.0
        part, of_part = h[t : t + 4] - 1.0, want[t : t + 4] - 1.0
        for a in (want, h):
            a[t + 1] = a[t] + 1
        assert float(h[t + 1, 3]) == want[t + 1, 3]
        for a in (want, h):
            a[t + 2] = a[t + 1] * 3
        assert float(h[t + 2, 3]) == want[t + 2, 3]
        np.testing.assert_array_equal(np.asarray(double), expected)
        np.testing.assert_array_equal(np.asarray(part), of_part)
    np.testing.assert_array_equal(np.asarray(h), want)


def test_copies_are_their_own() -> None:
    want, h = history()
    copies = []
    for t in range(4):
        copies.append((want.copy(), h.copy()))
        copies.append((want + 0, h + 0))
        for a in (want, h):
            a[t + 1] = a[t] + 1
        float(h[t, 0])
        for expected, found in copies:
            np.testing.assert_array_equal(np.asarray(found), expected)
    for expected, found in copies:
        expected[0] = found[0] = 1.0
        assert float(found[0, 0]) == 1.0
        np.testing.assert_array_equal(np.asarray(found), expected)
    np.testing.assert_array_equal(np.asarray(h), want)


def test_one_array_that_two_names_had() -> None:
    want, h = history()
    other, lazy_other = want, h
    second, lazy_second = want[:], h[:]
    for t in range(3):
        other[t] = second[t + 1] * 2
        lazy_other[t] = lazy_second[t + 1] * 2
        assert float(lazy_second[t, 1]) == want[t, 1]
    for found in (h, lazy_other, lazy_second):
        np.testing.assert_array_equal(np.asarray(found), want)


def test_arrays_that_change_places(taken: list[int]) -> None:
    (a, x), (b, y) = history(), history()
    del taken[:]
    for t in range(6):
        a[t] = 0.5 * b[t + 1] - a[t + 2]
        x[t] = 0.5 * y[t + 1] - x[t + 2]
        b[t + 2] -= a[t]
        y[t + 2] -= x[t]
        a, b, x, y = b, a, y, x
        assert float(x[t, 0]) == pytest.approx(a[t, 0])
        assert float(y[t, 0]) == pytest.approx(b[t, 0])
    np.testing.assert_allclose(np.asarray(x), a, rtol=1e-13)
    np.testing.assert_allclose(np.asarray(y), b, rtol=1e-13)
    assert sum(taken) >= 6


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.complex128, np.bool_])
def test_dtypes_and_orders(order: Any, dtype: Any) -> None:
    want = np.asarray(np.random.default_rng(1).integers(0, 2, (300, 8000)), dtype, order=order)
    h = lnp.array(want, order=order)
    for t in range(5):
        for a in (want, h):
            a[t + 1] = a[t] | a[t + 2] if dtype == np.bool_ else a[t] + a[t + 2]
        assert h[t + 1, 0].item() == want[t + 1, 0]
    np.testing.assert_array_equal(np.asarray(h), want)
    assert (h.dtype, h.strides) == (want.dtype, want.strides)


def test_what_may_raise_destroys_nothing(taken: list[int]) -> None:
    want, h = history()
    del taken[:]
    h[1] = h[0] + 1
    h[2, :4] = 1
    lines = h[3, :16].reshape(4, 4) * 0.0
    with pytest.raises(np.linalg.LinAlgError):
        h[4, :4] = np.linalg.inv(lines)[0]
        float(h[4, 0])
    want[1] = want[0] + 1
    want[2, :4] = 1
    np.testing.assert_array_equal(np.asarray(h), want)


@pytest.mark.parametrize("begins", [False, True])
def test_interrupts(begins: bool, monkeypatch: pytest.MonkeyPatch, taken: list[int]) -> None:
    """What a program has begun to write into is lost, and it is said; what it has not is as it was."""
    want, h = history()
    del taken[:]
    h[1] = h[0] + 1
    float(h[1, 1])
    assert taken == [1]
    h[2] = h[0] + 1
    want[1:3] = want[0] + 1

    def interrupted(program: Any, arguments: Any, *args: Any) -> Any:
        for x in arguments:
            if begins and type(x) is GivenUp:
                x.take()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(runtime, "_run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            float(h[2, 1])
    if not begins:
        assert float(h[2, 1]) == want[2, 1]
        np.testing.assert_array_equal(np.asarray(h), want)
        return
    with pytest.raises(RuntimeError, match="its contents are lost"):
        float(h[2, 1])
    with pytest.raises(RuntimeError, match="its contents are lost"):
        np.asarray(LOST)
    h = lnp.asarray(want)
    assert float(h[2, 1]) == want[2, 1]


def test_threads_that_read_it() -> None:
    want, h = history()
    first = want.copy()
    found: list[Any] = []
    view = h[2:20]

    def read() -> None:
        pending = view * 2.0
        ready.set()
        written.wait(20)
        found.append((float(pending[0, 0]), float(pending[-1, 5])))

    ready, written = threading.Event(), threading.Event()
    reader = threading.Thread(target=read)
    reader.start()
    assert ready.wait(20)
    for t in range(3):
        h[t + 2] = h[t] * 5
        float(h[t + 2, 0])
    written.set()
    reader.join(20)
    assert found == [(first[2, 0] * 2, first[19, 5] * 2)]


def begin_within_runs(reader: threading.Thread, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a thread begin when a program has been given what it destroys, and has not begun."""
    run = runtime._run

    def slowly(*args: Any) -> Any:
        if threading.current_thread() is not reader and not reader.ident:
            reader.start()
            reader.join(0.3)
        return run(*args)

    monkeypatch.setattr(runtime, "_run", slowly)


def test_threads_that_begin_meanwhile(monkeypatch: pytest.MonkeyPatch, taken: list[int]) -> None:
    want, h = history()
    del taken[:]
    for a in (want, h):
        a[1] = a[0] * 3
    found: list[float] = []
    reader = threading.Thread(target=lambda: found.append(float(h[1, 5])))
    begin_within_runs(reader, monkeypatch)
    assert float(h[1, 5]) == want[1, 5]
    reader.join(20)
    assert found == [want[1, 5]]
    assert taken[0] == 1


@pytest.mark.parametrize("use", ["operator", "function", "write", "in place"])
def test_threads_that_have_met_what_is_destroyed(use: str, monkeypatch: pytest.MonkeyPatch, taken: list[int]) -> None:
    """They have read what an array is to become, and record more of that when it has become it."""
    want, h = history()
    other = np.random.default_rng(1).random(COLUMNS)
    y = lnp.asarray(other) * 2.0
    del taken[:]
    for a in (want, h):
        a[1] = a[0] * 3
    found: list[float] = []

    def read() -> None:
        if use == "operator":
            found.append(float((h * 2.0)[1, 5]) / 2)
        elif use == "function":
            found.append(float(lnp.add(h, 1.0)[1, 5]) - 1)
        elif use == "write":
            h[2] = 7.0
            found.append(float(h[1, 5]))
        else:
            y.__imul__(2.0)
            found.append(float(h[1, 5]))

    reader = threading.Thread(target=read)
    begin_within_runs(reader, monkeypatch)
    assert float(h[1, 5]) == want[1, 5]
    reader.join(20)
    assert not reader.is_alive()
    assert found == pytest.approx([want[1, 5]], rel=1e-14)
    if use == "write":
        want[2] = 7.0
    np.testing.assert_array_equal(np.asarray(h), want)
    np.testing.assert_array_equal(np.asarray(y), other * (4.0 if use == "in place" else 2.0))
    assert taken[0] == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_wait_until_results_are_kept(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, taken: list[int]
) -> None:
    class Told(Exception):
        pass

    def tell(number: int, frame: Any) -> None:
        raise Told

    want, h = history()
    del taken[:]
    for a in (want, h):
        a[1] = a[0] * 3
    run = runtime._run

    def then_told(*args: Any) -> Any:
        found = run(*args)
        signal.raise_signal(number)
        return found

    before = signal.signal(number, tell)
    try:
        with monkeypatch.context() as patched, pytest.raises(Told):
            patched.setattr(runtime, "_run", then_told)
            float(h[1, 5])
        assert signal.getsignal(number) is tell
    finally:
        signal.signal(number, before)
    assert taken == [1]
    np.testing.assert_array_equal(np.asarray(h), want)


def test_each_signal_that_waits_is_told_and_handlers_are_put_back() -> None:
    told: list[int] = []

    def tell(number: int, frame: Any) -> None:
        told.append(number)
        raise TimeoutError

    numbers = [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT]
    before = {number: signal.signal(number, tell) for number in numbers}
    try:
        with pytest.raises(TimeoutError), interrupts.held():
            for number in numbers:
                signal.raise_signal(number)
            assert not told
        assert sorted(told) == sorted(numbers)
        assert all(signal.getsignal(number) is tell for number in numbers)
        # A handler that is put back, and raises, while others are.
        signal.signal(signal.SIGALRM, tell)
        for k in range(1, 200):
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-6 * k)
                with interrupts.held():
                    pass
                time.sleep(0.001)
            except TimeoutError:
                pass
            assert signal.getsignal(signal.SIGINT) is tell, k
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        for number, handler in before.items():
            signal.signal(number, handler)


def test_given_to_functions() -> None:
    want, h = history()

    @lazyarr.accelerate
    def total(x: Any) -> Any:
        return x.sum(axis=1)

    for t in range(4):
        for a in (want, h):
            a[t + 1] = a[t] + a[t + 2]
        np.testing.assert_allclose(np.asarray(total(h)), want.sum(axis=1), rtol=1e-12)
    np.testing.assert_array_equal(np.asarray(h), want)
