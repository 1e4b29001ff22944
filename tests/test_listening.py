"""Who has NumPy raise floating-point errors, or Python keep warnings, gets them from accelerated functions too."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from lazyarr import StrictError, accelerate

pytestmark = pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning", "ignore::RuntimeWarning")


@pytest.fixture(autouse=True)
def settings_stay() -> Iterator[None]:
    before = np.geterr()
    yield
    assert np.geterr() == before


def guarded(a: Any) -> Any:
    with np.errstate(divide="raise"):
        try:
            return (1 / a).sum()
        except FloatingPointError:
            return -1.0


def set_for_a_while(a: Any) -> Any:
    old = np.seterr(all="raise")
    try:
        total = 0.0
        for i in range(len(a)):
            total += np.float64(1) / a[i]
        return total
    except FloatingPointError:
        return -1.0
    finally:
        np.seterr(**old)


def around_loops(a: Any) -> Any:
    print("begins")
    with np.errstate(divide="raise", invalid="raise"):
        try:
            for i in range(len(a)):
                for k in range(9):
                    a[i] = 1 / a[i] + k
        except FloatingPointError as error:
            return str(error)
    return a.sum()


def helped(a: Any) -> Any:
    return guarded(a * 2) + a.max()


def recorded(a: Any) -> Any:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        b = np.log(a)
    return len(found), b


def as_errors(a: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return np.log(a).sum()
        except RuntimeWarning:
            return "warned"


@pytest.mark.parametrize("function", [guarded, set_for_a_while, around_loops, helped, recorded, as_errors])
def test_what_a_function_asks_for(function: Callable[[Any], Any]) -> None:
    accelerated: Any = accelerate(function)
    for k in range(8):
        a = np.linspace(0.0, 1.0, 40) + 0.5 * (k % 2)
        expected, found = function(a.copy()), accelerated(a.copy())
        assert type(found) is type(expected)
        np.testing.assert_equal(found, expected)


def total(a: Any) -> Any:
    result = 0.0
    for x in a:
        result += np.exp(x * 1000)
    return result


def test_settings_of_the_caller() -> None:
    accelerated: Any = accelerate(total)
    a = np.linspace(0.0, 1.0, 40)
    for _ in range(4):
        assert accelerated(a) == total(a) == np.inf
    with np.errstate(over="raise"):
        for _ in range(3):
            with pytest.raises(FloatingPointError, match="overflow"):
                accelerated(a)
        with pytest.raises(StrictError, match="told to raise"):
            accelerate(strict=True)(total)(a)
    assert accelerated(a) == np.inf
    seen: list[str] = []
    before = np.seterrcall(lambda kind, flag: seen.append(kind))
    try:
        with np.errstate(over="call"):
            accelerated(a)
    finally:
        np.seterrcall(before)
    assert seen[0] == "overflow"


def test_quiet_settings_are_compiled() -> None:
    @accelerate(strict=True)
    def quiet(a: Any) -> Any:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.log(a).sum()

    assert quiet(np.zeros(3)) == -np.inf
