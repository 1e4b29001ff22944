"""Calls that act before loops over small arrays: they are not begun in pieces, from which there is no way back."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from lazyarr.settings import settings
from lazyarr.tracing.accelerated import Accelerated
from lazyarr.tracing.callees import Callees
from tests.acceleration import assert_same
from tests.control_compare import define, forget

pytestmark = pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")

AHEAD = "loops may come after it"


@pytest.fixture(autouse=True)
def _numpy_may_run() -> Iterator[None]:
    with settings(always=0, eager_below=50_000):
        yield


def _grows(u: Any, n: int) -> Any:
    for _ in range(n):
        u = np.hstack((u, u[-1:] * 0.5 + 1))
    return u


class _Model:
    def __init__(self, n: int):
        self.n, self.u = n, np.ones(2)

    def __step(self) -> None:
        for k in range(self.n):
            self.u = np.append(self.u, self.u.sum() % 7 + k)

    @property
    def done(self) -> Any:
        self.__step()
        return self.u

    @functools.lru_cache  # noqa: B019
    def kept(self) -> Any:
        self.__step()
        return self.u


class _Eager:
    def __init__(self, n: int):
        self.u = _grows(np.ones(2), n)


def in_itself(n: int) -> Any:
    print("acts")
    u = np.ones(2)
    while u.size < n:
        u = np.append(u, u[-1] * 0.5)
    return u


def in_a_function(n: int) -> Any:
    print("acts")
    return _grows(np.ones(2), n)


def on_the_same_line(n: int) -> Any:
    print("acts"); u = _grows(np.ones(2), n)  # fmt: skip  # noqa: E702
    return u


def in_a_method(n: int) -> Any:
    model = _Model(n)
    print("acts")
    return model.done


def in_one_that_is_remembered(n: int) -> Any:
    model = _Model(n)
    print("acts")
    return model.kept()


def in_making_an_object(n: int) -> Any:
    print("acts")
    return _Eager(n).u


def in_the_caller(n: int) -> Any:
    _says()
    u = _grows(np.ones(2), n)
    return u


def around_it(n: int) -> Any:
    u = np.ones(2)
    for k in range(n):
        _says()
        u = np.append(u, k)
    return u


def _says() -> None:
    print("acts")


ALL = (
    in_itself, in_a_function, on_the_same_line, in_a_method, in_one_that_is_remembered, in_making_an_object,
    in_the_caller, around_it,
)  # fmt: skip


def assert_alike(accelerated: Any, function: Any, size: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Both give the same, and print the same."""
    expected = function(size)
    said = capsys.readouterr().out
    assert_same(accelerated(size), expected)
    assert capsys.readouterr().out == said


@pytest.mark.parametrize("function", ALL)
def test_loops_that_come_after_an_act(function: Any, capsys: pytest.CaptureFixture[str]) -> None:
    accelerated: Any = accelerate(function)
    for _ in range(3):
        assert_alike(accelerated, function, 200, capsys)
    assert not accelerated._pieces
    assert accelerated._plain


def test_loops_that_came_before_it() -> None:
    def function(u: Any, n: int) -> Any:
        for _ in range(n):
            u = u * 0.5 + 1
        print("acts")
        return u + 1

    accelerated: Any = accelerate(function)
    for _ in range(3):
        assert_same(accelerated(np.ones(5), 200), function(np.ones(5), 200))
    assert not any(AHEAD in why for why in accelerated._plain.values())


def test_loops_over_large_arrays_are_compiled_for_themselves() -> None:
    def function(u: Any, n: int) -> Any:
        print("acts")
        seen = {}
        for k in range(n):
            u = u * 0.5 + 1
            seen[k] = str(u[0])
        return u, seen

    accelerated: Any = accelerate(function)
    for _ in range(2):
        assert_same(accelerated(np.ones(300_000), 3), function(np.ones(300_000), 3))
    assert not accelerated._pieces
    assert any(loop._known for loop in accelerated._around._lifted.loops)


def test_loops_that_read_elements_of_large_arrays_are_not_begun_in_pieces(capsys: pytest.CaptureFixture[str]) -> None:
    def function(n: int) -> Any:
        x = np.linspace(0, 1, 200_000) ** 2
        print("acts")
        runs: dict[Any, Any] = {}
        for i in range(n):
            runs.setdefault(str(x[i])[:3], []).append(i)
        return runs, x

    accelerated: Any = accelerate(function)
    for _ in range(3):
        assert_alike(accelerated, function, 2000, capsys)
    assert not accelerated._pieces


def between(x: Any, n: int) -> Any:
    """Loops that print, and what is computed before, between and after them, in branches too."""
    print("begin")
    y = np.sin(x) * x + 1.0
    y[::2] *= 0.5
    low, high = y.min() - 1, y.max() + 1
    for k in range(n):
        try:
            x = (y - low) / (high - low) + x
            x[0] = k
        finally:
            print(k, x.shape)
        x = halved(x)
    if n > 2:
        z = np.exp(-x) * x - y
    else:
        z = x.real.T + y.astype(complex).real * 2
    report = {"low": f"{low:.3f}"}
    total = (z * z).sum() + y @ x
    return x, y, z, total, report


def halved(x: Any) -> Any:
    return x * 0.5 + np.cos(x) * 0.25


def test_statements_between_loops_over_large_arrays() -> None:
    accelerated: Any = accelerate(between)
    sizes = [(1000, 3), (1000, 3), (120_000, 3), (120_000, 3), (120_000, 1), (120_000, 1), (120_000, 3), (1000, 3)]
    for size, n in sizes:
        plain, own = np.linspace(1, 2, size) ** 2, np.linspace(1, 2, size) ** 2
        assert_same(between(plain, n), accelerated(own, n))
        assert_same(plain, own)
    compiled = [loop for loop in accelerated._around._lifted.loops if loop._known]
    lines = {loop.function.__code__.co_firstlineno - between.__code__.co_firstlineno for loop in compiled}
    assert lines >= {6, 14, 18}  # (up to the loop, in a branch, at the end)
    assert not accelerated._pieces


def until_small(x: Any, most: float) -> Any:
    print("begin")
    for k in range(30):
        x = halved(x)
        if x.max() < most:
            return x, k
        print(k)
    return x, None


def test_functions_without_loops_that_are_given_large_arrays(capsys: pytest.CaptureFixture[str]) -> None:
    accelerated: Any = accelerate(until_small)
    for size in (120_000, 120_000, 1000, 120_000):
        plain, own = np.linspace(1, 2, size) ** 2, np.linspace(1, 2, size) ** 2
        expected, said = until_small(plain, 0.5), capsys.readouterr().out
        assert_same(accelerated(own, 0.5), expected)
        assert capsys.readouterr().out == said
    (made,) = accelerated._around._callees.accelerated
    assert made.function is halved and len(made._known) == 1  # (small arrays stay in NumPy)


def test_loops_that_write_elements_of_longer_arrays() -> None:
    def once(seed: int) -> Any:
        np.random.seed(seed)
        total, n = 0.0, 0
        while True:
            total += np.random.beta(2, 5)
            n += 1
            if total > 1:
                return n, total

    def function(n: int) -> Any:
        counts, totals = np.zeros(n, dtype=int), np.zeros(n)
        for i in range(n):
            counts[i], totals[i] = once(i)
        return counts[:300], totals[:300]

    accelerated: Any = accelerate(function)
    for n in (15_000, 15_000, 120_000):
        assert_same(accelerated(n), function(n))
    assert not accelerated._pieces  # (in pieces it takes seconds, NumPy a twentieth of one)


def test_objects_that_nobody_looks_into() -> None:
    class Curve:
        def __init__(self, x: list[float]):
            self.x = x

        def at(self, t: Any) -> Any:
            return None if t < self.x[0] else self.x[1] * t + t**2.0

    Curve.__module__ = "some_package"

    def function(curve: Any, ts: Any) -> Any:
        found = []
        for t in ts:
            found.append(curve.at(t))
        return found

    accelerated: Any = accelerate(function)
    curve = Curve([0.0, 2.0])
    for _ in range(3):
        assert_same(accelerated(curve, np.arange(300.0)), function(curve, np.arange(300.0)))
    assert not accelerated._pieces


def _relaxes(u: Any, n: int) -> Any:
    for _ in range(n):
        for i in range(1, u.shape[0] - 1):
            u[i] = 0.5 * (u[i - 1] + u[i + 1])
    return u.sum()


class _Grid:
    scale = 0.5

    def __init__(self, n: int):
        self.u = np.linspace(0, 1, n) ** 2
        self.sweeps = 0

    def relax(self, n: int) -> Any:
        for _ in range(n):
            for i in range(1, self.u.shape[0] - 1):
                self.u[i] = self.scale * (self.u[i - 1] + self.u[i + 1])
            self.sweeps += 1
        return self


def _fails(u: Any, at: int) -> None:
    for i in range(100):
        u[i] += 1
        if i == at:
            raise ValueError("here")


def calls_others(n: int) -> Any:
    print("acts")
    u = np.linspace(0, 1, 40) ** 2
    first = _relaxes(u, n)
    print(first)
    grid = _Grid(40)
    grid.scale = 0.25
    same = grid.relax(n) is grid
    seen = [_relaxes(grid.u, k) for k in range(3)]
    numbers = np.zeros(100)
    try:
        _fails(numbers, 7)
    except ValueError as error:
        seen.append(str(error))
    return first, u, grid.u, grid.sweeps, same, seen, numbers


def test_functions_that_are_called_are_compiled(capsys: pytest.CaptureFixture[str]) -> None:
    accelerated: Any = accelerate(calls_others)
    for k in range(4):
        assert_alike(accelerated, calls_others, 30, capsys)
        if not k:
            made = {one.function: one for one in accelerated._around._callees.accelerated}
            assert set(made) == {_relaxes, _Grid.relax}  # (what stands in a `try` is left)
            assert made[_relaxes]._known and made[_Grid.relax]._known


def test_functions_that_each_call_makes_anew_are_not_kept() -> None:
    def made(k: int) -> Callable[[Any], Any]:
        def halves(x: Any) -> Any:
            for _ in range(3):
                x = x * 0.5 + k
            return x

        halves.__module__ = "some_package"
        return halves

    callees = Callees("some_package", Accelerated)
    for k in range(200):
        function = made(k)
        assert_same(callees.standing(function)(np.arange(5.0)), function(np.arange(5.0)))
        assert callees.standing(function) is callees.standing(function)
    assert len(callees.accelerated) < 100


def test_what_is_called_is_what_the_names_mean_then(monkeypatch: pytest.MonkeyPatch) -> None:
    def calls(n: int) -> Any:
        print("acts")
        return _relaxes(np.linspace(0, 1, 40), n)

    accelerated: Any = accelerate(calls)
    assert_same(accelerated(30), calls(30))
    monkeypatch.setitem(globals(), "_relaxes", lambda u, n: u.size + n)
    assert accelerated(30) == calls(30) == 70


def test_an_error_of_what_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    def calls(u: Any, at: int) -> Any:
        print("acts")
        _fails(u, at)

    accelerated: Any = accelerate(calls)
    for at in (7, 100, 7):
        try:
            calls(np.zeros(100), at)
        except ValueError as error:
            with pytest.raises(ValueError, match=str(error)):
                accelerated(np.zeros(100), at)
        else:
            assert accelerated(np.zeros(100), at) is None
    assert capsys.readouterr().out == "acts\n" * 6


def test_a_loop_beside_statements_that_are_not_compiled_meets_an_object_and_a_long_record() -> None:
    class Coin:
        def __init__(self, p: float):
            self.p, self.n = p, 0

        def toss(self) -> Any:
            self.n += 1
            return np.random.random() < self.p

    Coin.__module__ = "some_package"
    names: dict[str, Any] = {"np": np, "Coin": Coin}
    text = """
def function(n):
    coins = [Coin(0.25), Coin(0.5)]
    record = np.empty(n)
    for i in range(n):
        record[i] = coins[i % 2].toss()
    return record.sum(), str(coins[0].n), record
"""
    function = define(text, "function", **names)
    accelerated: Any = accelerate(function)
    for _ in range(2):
        np.random.seed(3)
        expected = function(100_001)
        np.random.seed(3)
        assert_same(accelerated(100_001), expected)
    around = accelerated._around
    assert not accelerated._known and (around is None or not any(loop._pieces for loop in around._all()))
    forget(function)
