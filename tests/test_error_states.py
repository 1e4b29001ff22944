"""``errstate`` and ``seterr`` of the drop-in namespace: NumPy raises, calls and logs at the line, with its message."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import lazyarr
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


def _safe_division(m: Any) -> Any:
    x, y = m.array([1.0, 2, 3]), m.array([0.0, 1, 2])
    with m.errstate(divide="raise"):
        out = m.divide(x, y, out=m.zeros(3), where=y > 0)
        m.divide(y, x - 1, x, where=x != 1)  # (over an operand, by its place)
        return out, x


def _where_by_seterr(m: Any) -> Any:
    x = m.array([[-1.0, 0, 4], [9, m.nan, 800]])
    before = m.seterr(all="raise")
    try:
        low, high = x[:, :2], x[:, 1:]
        m.sqrt(low, out=high, where=low >= 0)  # (overlapping views)
        found = [f(x, out=m.ones((2, 3)), where=w) for f, w in ((m.log, x > 0), (m.exp, x < 700))]
        found += [m.power(x, -0.5, out=m.zeros((2, 3)), where=x > 0)]
        found.append(m.add(x, 1, out=m.ones((2, 3)), where=[[True], [False]]))
        found += m.divmod(7.0, x, out=(m.ones((2, 3)), m.ones((2, 3))), where=(x > 0) & (x < 99))
        return (*found, x)
    finally:
        m.seterr(**before)


def _what_where_chooses(m: Any) -> Any:
    x, out = m.array([0.0, -1.0, 4.0]), m.full(3, 7.0)
    try:
        with m.errstate(all="raise"):
            m.sqrt(x, out=out, where=[True, True, False])
    except FloatingPointError as error:
        return str(error), out
    return out


def _written_before_it_raises(m: Any) -> Any:
    x, out, pair = m.array([0.0, -1.0, 4.0]), m.full((3, 2), 7.0), (m.ones(3), m.ones(3))
    told = []
    calls: list[Callable[[], Any]] = [
        lambda: m.log(x, out=out[:, 1], where=True), lambda: m.divide(1.0, x, out=(out[:, 0],), dtype="f8"),
        lambda: m.divmod(x, 0.0, out=pair), lambda: m.arcsin(x, x, casting="unsafe"),
    ]  # fmt: skip
    for call in calls:
        try:
            with m.errstate(all="raise"):
                call()
        except FloatingPointError as error:
            told.append(str(error))
    return str(told), out, x, *pair


def _after_errstate(m: Any) -> Any:
    before = m.seterr(all="raise")
    try:
        with m.errstate():
            m.seterr(all="ignore")
            quiet = m.ones(3) / m.zeros(3)
        with m.errstate(all="ignore"):
            m.seterr(under="ignore")
            m.log(m.zeros(4))
        assert m.geterr()["divide"] == "raise" and quiet[0] == m.inf
        return m.ones(3) / m.zeros(3)
    finally:
        m.seterr(**before)


def _only_within_errstate(m: Any) -> Any:
    with m.errstate(all="ignore"):
        m.seterr(divide="raise")
        try:
            m.ones(3) / m.zeros(3)
        except FloatingPointError as error:
            told = str(error)
        m.seterr(divide="ignore")
    return told, m.zeros(3) / m.zeros(3) if m is lnp else m.full(3, m.nan)


def _in_a_thread_with_the_context(m: Any) -> Any:
    async def main() -> Any:
        with m.errstate(all="raise"):
            return await asyncio.to_thread(lambda: m.asarray(m.ones(3) / m.zeros(3)))

    return asyncio.run(main())


def _in_tasks(m: Any) -> Any:
    found: list[Any] = []

    async def task(state: str, turns: list[asyncio.Event]) -> None:
        with m.errstate(all=state):
            turns[0].set()
            await turns[1].wait()
            try:
                found.append((state, m.asarray(m.log(m.zeros(3)) + 1).tolist()))
            except FloatingPointError as error:
                found.append((state, str(error)))

    async def main() -> None:
        a, b = asyncio.Event(), asyncio.Event()
        await asyncio.gather(task("raise", [a, b]), task("ignore", [b, a]))

    asyncio.run(main())
    return str(sorted(found))


def _outcome(program: Callable[[Any], Any], m: Any) -> Outcome:
    try:
        found = program(m)
    except FloatingPointError as error:
        return str(error)
    return [np.asarray(x).tolist() for x in (found if isinstance(found, tuple) else (found,))]


_PROGRAMS = [
    _of_a_division, _of_a_function, _of_much, _of_a_cast, _of_a_sum, _of_a_view, _of_a_scalar, _only_what_is_asked_for,
    _what_was_recorded_before, _in_place, _handled, _nothing_wrong, _by_seterr, _by_a_decorator, _by_a_call, _to_a_log,
    _safe_division, _where_by_seterr, _what_where_chooses, _written_before_it_raises, _after_errstate,
    _only_within_errstate,
    _in_a_thread_with_the_context, _in_tasks,
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

    gc.collect()  # (contexts of the tests before)
    before = module.current
    with lnp.errstate(all="raise"), lnp.errstate(divide="raise"):
        pass
    assert module.current == before


def _of_a_thread() -> None:
    thread = threading.Thread(target=lambda: lnp.seterr(all="raise"))
    thread.start()
    thread.join()


def _of_a_block() -> None:
    with lnp.errstate():
        lnp.seterr(all="raise")


def _of_a_copied_context() -> None:
    contextvars.copy_context().run(lambda: lnp.seterr(all="raise"))


def _of_a_loop() -> None:
    with pytest.raises(FloatingPointError):
        _in_a_thread_with_the_context(lnp)


@pytest.mark.parametrize("told", [_of_a_thread, _of_a_block, _of_a_copied_context, _of_a_loop])
def test_settings_are_as_before_when_nobody_listens_any_more(told: Callable[[], None]) -> None:
    from lazyarr import settings as module

    gc.collect()  # (contexts of the tests before)
    before = module.current
    told()
    gc.collect()
    assert module.current == before
    assert np.isinf(lnp.ones(3) / lnp.zeros(3)).all()


def test_what_the_program_sets_meanwhile_stays() -> None:
    from lazyarr import settings as module

    with settings(eager_below=7):
        with lnp.errstate(all="raise"):
            assert lazyarr.configure(eager_below=9, fast_path=0).eager_below == 7
            with settings(eager_below=0), pytest.raises(FloatingPointError):
                lnp.ones(3) / lnp.zeros(3)
        assert module.current.eager_below == 9 and module.current.fast_path == 0
        lazyarr.configure(fast_path=1)


def test_where_is_no_fallback() -> None:
    with settings(fallback="error"), lnp.errstate(all="raise"):
        assert lnp.sqrt(lnp.array([-1.0, 4.0]), out=lnp.zeros(2), where=[False, True]).tolist() == [0.0, 2.0]
