"""``errstate`` and ``seterr`` of the drop-in namespace: NumPy raises, calls and logs at the line, with its message."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import lazyarr.numpy as lnp
from lazyarr import quiet
from lazyarr.settings import settings

Outcome = Any


@pytest.fixture(autouse=True, params=[0, 50_000])
def eager_below(request: pytest.FixtureRequest) -> Iterator[int]:
    with settings(eager_below=request.param):
        before = np.geterr()
        yield request.param
        assert np.geterr() == before
        assert not quiet.thread.entered


def _of_a_division(m: Any) -> Any:
    a = m.arange(5.0)
    with m.errstate(divide="raise"):
        return 1 / a


def _of_a_function(m: Any) -> Any:
    a = m.zeros(5) - 1
    with m.errstate(all="raise"):
        return m.log(a)


def _of_much(m: Any) -> Any:
    a = m.full((300, 1000), 1e3)
    with m.errstate(over="raise"):
        return m.exp(a)


def _of_a_cast(m: Any) -> Any:
    a = m.array([1e10, -3])
    with m.errstate(all="raise"):
        return a.astype("f2")


def _of_a_sum(m: Any) -> Any:
    a = m.array([m.inf, 1.0, -m.inf])
    with m.errstate(invalid="raise"):
        return a.sum()


def _of_a_view(m: Any) -> Any:
    a = m.arange(3.0)[1:] - 1
    with m.errstate(divide="raise"):
        a[:] = 1 / a
    return a


def _of_a_scalar(m: Any) -> Any:
    a = m.array(0.0)
    with m.errstate(all="raise"):
        return 1 / a[()]


def _only_what_is_asked_for(m: Any) -> Any:
    with m.errstate(all="raise"):
        with m.errstate(divide="ignore"):
            a = m.ones(3) / 0
        return a, a - a


def _what_was_recorded_before(m: Any) -> Any:
    with m.errstate(all="ignore"):
        a = m.log(m.zeros(5))
    with m.errstate(all="raise"):
        return m.exp(a) + 1


def _in_place(m: Any) -> Any:
    a = m.full(4, 1e300)
    try:
        with m.errstate(over="raise"):
            a *= 1e300
    except FloatingPointError as error:
        return str(error), a
    return a


def _handled(m: Any) -> Any:
    x = m.linspace(0, 1, 4)
    with m.errstate(all="raise"):
        try:
            y = x / 0
        except FloatingPointError:
            y = m.where(x > 0, x, 1.0)
        return y + m.random.default_rng(0).random(4), m.polyfit(x, x, 1), m.gradient(x), m.nanmean(y)


def _nothing_wrong(m: Any) -> Any:
    a = m.ones(5)
    b = a + 1
    with m.errstate(all="raise"):
        c = b * 2
        c[2:] += 1
        c[c > 4] = 0
        d = c.reshape(5, 1) @ b.reshape(1, 5)
        s = d.sum(axis=0).cumsum()
        return m.linalg.det(d + m.eye(5)), s, m.var(s), m.median(s), m.linalg.norm(b), m.linalg.inv(m.eye(3) * 2)


def _by_seterr(m: Any) -> Any:
    before = m.seterr(all="raise")
    try:
        assert m.geterr()["over"] == "raise"
        return m.ones(3) / 0
    finally:
        m.seterr(**before)


def _by_a_decorator(m: Any) -> Any:
    def plain(x: Any) -> Any:
        return m.sqrt(x)

    root = m.errstate(all="raise")(plain)
    return root(m.ones(2)), root(m.ones(2) * 4), root(m.zeros(3) - 1)


def _by_a_call(m: Any) -> Any:
    told: list[Any] = []
    before = m.seterrcall(lambda kind, flag: told.append((kind, flag)))
    with m.errstate(all="call"):
        x = m.ones(3) / m.zeros(3)
        y = m.sqrt(x * 0 - 1)
    m.seterrcall(before)
    return told, x, y


def _to_a_log(m: Any) -> Any:
    class Log:
        text = ""

        def write(self, text: str) -> None:
            self.text += text

    with m.errstate(all="log", call=Log()):
        x = m.ones(2) / 0
        return m.geterrcall().text, x


def _outcome(program: Callable[[Any], Any], m: Any) -> Outcome:
    try:
        found = program(m)
    except FloatingPointError as error:
        return str(error)
    return [np.asarray(x).tolist() for x in (found if isinstance(found, tuple) else (found,))]


_PROGRAMS = [
    _of_a_division, _of_a_function, _of_much, _of_a_cast, _of_a_sum, _of_a_view, _of_a_scalar, _only_what_is_asked_for,
    _what_was_recorded_before, _in_place, _handled, _nothing_wrong, _by_seterr, _by_a_decorator, _by_a_call, _to_a_log,
]  # fmt: skip


@pytest.mark.parametrize("program", _PROGRAMS)
def test_as_numpy(program: Callable[[Any], Any]) -> None:
    assert str(_outcome(program, lnp)) == str(_outcome(program, np))


def test_another_thread_is_told_nothing(eager_below: int) -> None:
    found: list[Any] = []
    with lnp.errstate(all="raise"):
        other = threading.Thread(target=lambda: found.append(np.asarray(lnp.ones(3) / lnp.zeros(3)).tolist()))
        other.start()
        other.join()
        with pytest.raises(FloatingPointError):
            lnp.ones(3) / lnp.zeros(3)
    assert found == [[np.inf] * 3]


def test_settings_are_as_before(eager_below: int) -> None:
    from lazyarr import settings as module

    before = module.current
    with lnp.errstate(all="raise"), lnp.errstate(divide="raise"):
        pass
    assert module.current == before
