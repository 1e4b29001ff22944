"""Functions that are made anew for each call, as arguments: one program stands for all of them."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from tests.acceleration import assert_same, programs
from tests.loop_checks import Array


def runge_kutta(f: Any, y: Array, t: float, dt: float, n: int) -> Array:
    for _ in range(n):
        k1 = f(t, y)
        k2 = f(t + dt / 2, y + dt / 2 * k1)
        y = y + dt * k2
        t += dt
    return y


def applied(f: Any, x: Any) -> Any:
    return f(x)


def both(f: Any, g: Any, x: Any) -> Any:
    return f(x) + g(x)


def scaled(by: Any) -> Callable[[Any], Any]:
    return lambda x: x * by


def same(function: Any, accelerated: Any, make: Callable[[int], tuple[Any, ...]], calls: int = 6) -> None:
    for k in range(calls):
        plain, own = make(k), make(k)
        assert_same(function(*plain), accelerated(*own))
        assert_same([x for x in plain if not callable(x)], [x for x in own if not callable(x)])


def test_one_program_serves_closures_of_other_data() -> None:
    def made(k: int) -> tuple[Any, ...]:
        a, matrix = 0.5 + k, np.arange(9.0).reshape(3, 3) - k
        inner: Any = lambda y: matrix @ y  # noqa: E731
        return (lambda t, y: a * inner(y) + np.sin(t)), np.linspace(0.0, 1.0, 3), 0.0, 0.01, 20

    accelerated: Any = accelerate(runge_kutta, always=True)
    same(runge_kutta, accelerated, made)
    assert programs(accelerated) == 1


def test_lambdas_without_enclosing_variables_are_one() -> None:
    accelerated: Any = accelerate(applied, always=True)
    same(applied, accelerated, lambda k: ((lambda x: x**2 - 2), np.arange(5.0) + k))
    assert programs(accelerated) == 1


@pytest.mark.parametrize("contents", [
    (1, 2.5, 3 + 1j, np.float32(2), np.ones(4), np.ones((2, 4)), 1, np.arange(4.0)[::-1], True),
    (np.zeros(4), np.zeros(4, np.float32), np.zeros(1), 7),
])  # fmt: skip
def test_enclosing_variables_of_other_types(contents: tuple[Any, ...]) -> None:
    accelerated: Any = accelerate(applied, always=True)
    same(applied, accelerated, lambda k: (scaled(contents[k % len(contents)]), np.arange(4.0)), 2 * len(contents))


def test_what_decides_the_program_is_looked_at() -> None:
    accelerated: Any = accelerate(applied, always=True)
    same(applied, accelerated, lambda k: ((lambda n: lambda x: x.reshape(n, -1).sum(0))([1, 2, 3][k % 3]), np.ones(6)))
    same(applied, accelerated, lambda k: ((lambda f: lambda x: f(x))([np.sin, np.cos][k % 2]), np.ones(6)))
    same(applied, accelerated, lambda k: ((lambda s: lambda x: x + 1 if s == "a" else x)("ab"[k % 2]), np.ones(6)))


def test_functions_that_are_one_or_share_variables() -> None:
    accelerated: Any = accelerate(both, always=True)

    def made(k: int) -> tuple[Any, ...]:
        f = scaled(np.arange(3.0) + k)
        return f, f if k % 3 else scaled(np.arange(3.0) * k), np.ones(3)

    same(both, accelerated, made, 9)

    def shared(k: int) -> tuple[Any, ...]:
        held = np.zeros(3) + k

        def changes(x: Any) -> Any:
            held[1:] += x[1:]
            return held * 1

        return (changes, (lambda x: held + x), np.ones(3)) if k % 2 else (changes, scaled(held), np.ones(3))

    same(both, accelerated, shared, 6)


def test_arguments_that_a_closure_holds_too() -> None:
    def changed(f: Any, x: Array) -> Any:
        x += 1
        return f(x)

    def made(k: int) -> tuple[Any, ...]:
        x = np.arange(4.0)
        held = x if k % 2 else x.copy()
        return (lambda y: y + held), x

    same(changed, accelerate(changed, always=True), made, 8)


@pytest.mark.filterwarnings("ignore::lazyarr.FallbackWarning")
def test_a_function_that_is_given_back_is_that_of_the_call() -> None:
    def given(f: Any, x: Array, found: dict[str, Any]) -> Any:
        found["last"] = f
        return f, f(x)

    accelerated: Any = accelerate(given, always=True)
    for k in range(5):
        f, found = scaled(k + 1.0), dict[str, Any]()
        result = accelerated(f, np.ones(3), found)
        assert result[0] is f
        assert found["last"] is f
        assert_same(np.ones(3) * (k + 1.0), result[1])


@pytest.mark.filterwarnings("ignore::lazyarr.FallbackWarning")
def test_functions_that_assign_to_enclosing_variables_or_call_themselves() -> None:
    def counted(f: Any, x: Array) -> Any:
        for _ in range(3):
            x = f(x)
        return x

    accelerated: Any = accelerate(counted)
    for k in range(5):
        calls = [0, 0]
        found = []
        for way, run in enumerate((counted, accelerated)):
            count = 0

            def f(x: Any) -> Any:
                nonlocal count
                count += 1
                return x * count + k  # noqa: B023

            found.append(run(f, np.ones(3)))
            calls[way] = count
        assert_same(*found)
        assert calls == [3, 3]

    def factorial(k: int) -> Any:
        def value(n: int) -> int:
            return 1 if n <= 1 else n * value(n - 1) + k

        return value

    same(applied, accelerate(applied), lambda k: (factorial(k), 5))


def test_strict_functions_leave_what_a_closure_holds_where_numpy_raises() -> None:
    def written(f: Any, x: Array) -> Any:
        for i in range(len(x)):
            f(i, x[i])
        return x * 2

    def into(held: Array) -> Any:
        def write(i: int, value: Any) -> None:
            held[i] += value

        return write

    accelerated: Any = accelerate(written, strict=True)
    for k in range(3):
        plain, own = np.zeros(9 + k), np.zeros(9 + k)
        assert_same(written(into(plain), np.arange(9.0)), accelerated(into(own), np.arange(9.0)))
        assert_same(plain, own)
    for _ in range(2):
        own = np.zeros(9)
        with pytest.raises(IndexError, match="index 9 is out of bounds"):
            accelerated(into(own), np.arange(11.0))
        assert not own.any()


def test_threads_that_give_functions_of_one_code() -> None:
    accelerated: Any = accelerate(applied, always=True)
    wrong: list[Any] = []

    def work(begin: float) -> None:
        for k in range(100):
            found = accelerated(scaled(begin + k), np.ones(3))
            if not np.array_equal(found, np.ones(3) * (begin + k)):
                wrong.append((begin, k, found))

    threads = [Thread(target=work, args=(begin,)) for begin in (0.0, 1000.0, 5000.0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
