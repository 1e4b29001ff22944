"""A way that ends in ``raise``: the program stands for the other one, and Python runs the call that takes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate

Array = np.ndarray[Any, Any]


def at_once(x: Array) -> Array:
    y = x * 2
    if y[0] > 5:
        raise ValueError(f"first is {y[0]:.1f}")
    return y + 1


def within_a_loop(x: Array) -> Array:
    y = x * 2
    for i in range(3):
        if y[i] < 0:
            y[:] = 7
            raise np.linalg.LinAlgError(f"element {i}")
        elif y[i] > 100:
            y[i] = 3
        else:
            y[i] += 1
    return y


def otherwise(x: Array) -> Array:
    if x.min() >= 0:
        y = np.sqrt(x)
    else:
        raise ArithmeticError("negative")
    return y


def _demand_finite(a: Array) -> None:
    if not np.isfinite(a).all():
        raise ValueError(f"not finite at {int(np.argmax(~np.isfinite(a)))}")


def in_helpers(x: Array) -> Array:
    _demand_finite(x)
    y = np.log(x)
    while y.max() > 1:
        y /= 2
        if y.max() < 0.6:
            raise RuntimeError("small")
    _demand_finite(y)
    return y


def _fail(what: str) -> None:
    raise TypeError(what)


def by_a_function(x: Array) -> Array:
    if x[0] > 50:
        _fail("large")
    return x + 1


def caught(x: Array) -> Array:
    try:
        if x.sum() < 0:
            raise ValueError
        r = x + 1
    except ValueError:
        r = x - 1
    return r


def said(x: Array) -> Array:
    if x[0] > 50:
        print("large")
        raise ValueError
    return x + 1


FUNCTIONS = [at_once, within_a_loop, otherwise, in_helpers, by_a_function, caught, said]
VALUES = [*(np.arange(3.0) + first for first in (0, 2, 60, 1e4)), -np.arange(3.0) - 1, np.array([1, np.nan, 2])]


def outcome(function: Callable[..., Any], x: Array) -> Any:
    try:
        return function(x).tolist()
    except Exception as error:  # noqa: BLE001  whatever it is
        return type(error), str(error).split("\n")[0]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_either_way(function: Callable[..., Array], capsys: pytest.CaptureFixture[str]) -> None:
    accelerated = accelerate(function, always=True)
    for x in [*VALUES, *VALUES]:
        want = outcome(function, x.copy()), capsys.readouterr().out
        assert str((outcome(accelerated, x.copy()), capsys.readouterr().out)) == str(want)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("function", [f for f in FUNCTIONS if f is not by_a_function], ids=lambda f: f.__name__)
def test_the_way_that_does_not_raise_is_one_program(function: Callable[..., Array]) -> None:
    accelerated = accelerate(function, strict=True, always=True)
    x = np.arange(3.0) + 2 if function is not within_a_loop else np.arange(3.0)
    for _ in range(2):
        assert str(outcome(accelerated, x.copy())) == str(outcome(function, x.copy()))


def test_what_comes_before_the_raise_does_not_happen() -> None:
    seen: list[str] = []

    class Count:
        k = 1

    def log(x: Array) -> Any:
        if x[0] < 0:
            seen.append("negative")
            Count.k += 1
            raise ValueError("negative")
        return x + Count.k

    accelerated = accelerate(log, always=True)
    for _ in range(3):
        assert accelerated(np.ones(5)).tolist() == [2] * 5
        assert seen == []
    for k in range(1, 3):
        with pytest.raises(ValueError, match="negative"):
            accelerated(-np.ones(5))
        assert len(seen) == k
        assert Count.k == k + 1


def test_where_both_raise() -> None:
    def both(x: Array) -> Array:
        if x[0] > 0:
            raise ValueError("positive")
        else:
            raise ValueError("not positive")

    for x in (np.ones(3), np.zeros(3)):
        assert outcome(accelerate(both), x) == outcome(both, x)


def test_arguments_are_as_before_where_it_raises() -> None:
    def change(x: Array) -> None:
        x += 1
        if x[0] > 5:
            raise ValueError("large")

    accelerated, x = accelerate(change), np.arange(3.0)
    for _ in range(5):
        accelerated(x)
    with pytest.raises(ValueError, match="large"):
        accelerated(x)
    assert x.tolist() == [5, 6, 7]
