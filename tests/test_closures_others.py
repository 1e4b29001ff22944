"""Functions made anew for each call that are known by other ways too, or that change: no other stands for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import MethodType
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from tests.acceleration import assert_same, programs
from tests.loop_checks import Array


def scaled(by: Any) -> Callable[[Any], Any]:
    return lambda x: x * by


KNOWN = scaled(100.0)
LISTED, PART, KEYED = [KNOWN], partial(KNOWN), {KNOWN: 2.0}


def is_global(f: Any, x: Array) -> Any:
    return x * 1000 if f is KNOWN else f(x)


def in_list(f: Any, x: Array) -> Any:
    return f is LISTED[0], LISTED[0](x), f(x)


def in_partial(f: Any, x: Array) -> Any:
    return PART(x), f(x)


def is_key(f: Any, x: Array) -> Any:
    return KEYED.get(f, -1.0), f(x)


def is_default(f: Any, x: Array, other: Any = KNOWN) -> Any:
    return f is other, other(x), f(x)


@pytest.mark.parametrize("always", [False, True])
@pytest.mark.parametrize("first", [0, 1, 2])
@pytest.mark.parametrize("function", [is_global, in_list, in_partial, is_key, is_default])
def test_functions_that_the_program_knows_already(function: Any, first: int, always: bool) -> None:
    accelerated: Any = accelerate(function, always=always)
    for k in range(9):
        f, x = KNOWN if k % 3 == first else scaled(k + 0.5), np.arange(4.0) + k
        assert_same(function(f, x), accelerated(f, x))


def beside(f: Any, other: Any, x: Array) -> Any:
    return other[0](x) if isinstance(other, list) else other(), f(x)


@pytest.mark.parametrize("always", [False, True])
@pytest.mark.parametrize("first", [0, 1, 2])
@pytest.mark.parametrize("make", [
    lambda x: (lambda held: [lambda y: held[0](y) + 1])([KNOWN]), lambda x: MethodType(KNOWN, x),
])  # fmt: skip
def test_functions_that_other_arguments_hold(make: Any, first: int, always: bool) -> None:
    accelerated: Any = accelerate(beside, always=always)
    for k in range(9):
        f, x = KNOWN if k % 3 == first else scaled(k + 0.5), np.arange(4.0) + k
        other = make(x)
        assert_same(beside(f, other, x), accelerated(f, other, x))


def counter(start: float) -> tuple[Any, Any]:
    n = start

    def read(x: Any) -> Any:
        return x * n

    def count(x: Any, up: bool) -> Any:
        nonlocal n
        if up:
            n += 1
        return x + n

    return read, count


READ, COUNT = counter(1.0)


def both(read: Any, count: Any, x: Array) -> Any:
    return read(x), count(x, False)


def with_global(read: Any, count: Any, x: Array) -> Any:
    return read(x), COUNT(x, False)


@pytest.mark.parametrize("always", [False, True])
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("function", [both, with_global])
def test_variables_that_a_function_shares_with_one_that_assigns_to_them(
    function: Any, first: int, always: bool
) -> None:
    accelerated: Any = accelerate(function, always=always)
    for k in range(8):
        read, x = READ if k % 2 == first else counter(10.0 + k)[0], np.arange(4.0)
        assert_same(function(read, COUNT, x), accelerated(read, COUNT, x))
    COUNT(0, True)
    assert_same(function(READ, COUNT, x), accelerated(READ, COUNT, x))


def applied(f: Any, x: Any) -> Any:
    return f(x)


def adds(x: Any, a: float = 2.0, *, b: Any = 3.0) -> Any:
    return x + a + b


def subtracts(x: Any, a: float = 2.0, *, b: Any = 3.0) -> Any:
    return x - a - b


def uses_global(f: Any, x: Any) -> Any:
    return adds(x)


@pytest.mark.parametrize("always", [False, True])
@pytest.mark.parametrize("function", [applied, uses_global])
def test_code_and_defaults_that_change(function: Any, always: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    accelerated: Any = accelerate(function, always=always)
    changes: list[tuple[str, Any]] = [
        ("__defaults__", (5.0,)), ("__defaults__", (True,)), ("__kwdefaults__", {"b": 7.0}),
        ("__kwdefaults__", {"b": np.ones(4)}), ("__code__", subtracts.__code__), ("__defaults__", (2.0,)),
    ]  # fmt: skip
    for name, value in [("__name__", "adds"), *changes]:
        monkeypatch.setattr(adds, name, value)
        for k in range(3):
            x = np.arange(4.0) + k
            assert_same(function(adds, x), accelerated(adds, x))
    assert adds.__kwdefaults__ is not None
    adds.__kwdefaults__["b"] = 1.5
    assert_same(function(adds, x), accelerated(adds, x))


@pytest.mark.parametrize("always", [False, True])
def test_defaults_of_closures_that_change(always: bool) -> None:
    def f(x: Any, a: float = 2.0) -> Any:
        return x * a

    accelerated: Any = accelerate(applied, always=always)
    for k in range(9):
        f.__defaults__ = (float(k // 3),)
        assert_same(applied(f, np.arange(4.0)), accelerated(f, np.arange(4.0)))


def described(f: Any, x: Array) -> Any:
    return f.__name__, f.__doc__, f.__module__, repr(f.__annotations__), f(x)


@pytest.mark.parametrize("always", [False, True])
@pytest.mark.parametrize("name", ["__name__", "__doc__", "__module__", "__annotations__"])
def test_what_functions_say_of_themselves(name: str, always: bool) -> None:
    accelerated: Any = accelerate(described, always=always)
    for k in range(6):
        f = scaled(k + 0.5)
        setattr(f, name, {"x": [int, list[int], True, 1][k % 4]} if name == "__annotations__" else f"own {k % 3}")
        assert_same(described(f, np.arange(4.0)), accelerated(f, np.arange(4.0)))


def chained(length: int, by: float) -> Any:
    def after(f: Any) -> Any:
        return lambda x: f(x) + 0.5

    f = scaled(by)
    for _ in range(length):
        f = after(f)
    return f


@pytest.mark.filterwarnings("ignore::lazyarr.FallbackWarning")
def test_long_chains_of_closures() -> None:
    for length, most in ((5, 1), (40, 1), (400, 3)):
        accelerated: Any = accelerate(applied, always=True)
        for k in range(3):
            f = chained(length, k + 0.5)
            assert_same(applied(f, np.arange(4.0)), accelerated(f, np.arange(4.0)))
        assert programs(accelerated) <= most


class _Elsewhere:
    """Classes of a package that is not the program's."""

    def __init__(self) -> None:
        names: dict[str, Any] = {"__name__": "elsewhere", "np": np}
        exec(  # noqa: S102
            "class Model:\n"
            "    def fit(self, y, call=None):\n"
            "        first = y[0]\n"
            "        if isinstance(first, (int, np.integer)):\n"
            "            return np.sum(y) * 2\n"
            "        if isinstance(first, np.floating) and not isinstance(y, (float, np.generic)):\n"
            "            return np.sum(y) * 3 if call is None else call(y)\n"
            "        return np.sum(y) * 5\n",
            names,
        )
        self.model = names["Model"]


def test_code_of_others_knows_numpys_scalar_types() -> None:
    model = _Elsewhere().model

    def fitted(y: Any) -> Any:
        return model().fit(y * 2) + 1

    def asked(y: Any) -> Any:
        return model().fit(y * 2, lambda x: isinstance(x[0], np.float64) + isinstance(x[0], float) * 2 + x[1])

    for function, dtypes in (fitted, ("i8", "f8", "f4", "i2")), (asked, ("f8", "f4")):
        for dtype in dtypes:
            accelerated: Any = accelerate(always=True)(function)
            y = np.arange(5).astype(dtype)
            for _ in range(3):
                expected, found = function(y), accelerated(y)
                assert type(found) is type(expected) and found == expected
