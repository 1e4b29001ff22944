"""Loops in ``try`` and ``with`` blocks made functions of their own: what an exception leaves is what Python leaves."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from lazyarr.tracing.control.lifting import lift
from tests.acceleration import assert_same

pytestmark = pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")


def summed(a: Any, b: Any, n: int) -> Any:
    print("begins")
    total = 0.0
    try:
        for i in range(n):
            for k in range(len(b)):
                a[i] += b[k]
                total += a[i]
        print("done")
    except IndexError as error:
        return str(error)
    return total


def kept_from_ending(a: Any, b: Any, n: int) -> Any:
    print("begins")
    total = 0.0
    try:
        for i in range(n):
            for k in range(len(b)):
                a[i] += b[k]
                total += a[i]
    except IndexError:
        pass
    return total


def replaced(a: Any, b: Any, n: int) -> Any:
    print("begins")
    total = 0.0
    try:
        for i in range(n):
            total += a[i] * b[i]
    except (IndexError, ValueError):
        total = -1.0
    else:
        total *= 2
    return total


def finished(a: Any, b: Any, n: int) -> Any:
    steps = 0
    print("begins")
    try:
        with np.errstate(all="ignore"):
            for i in range(n):
                a[i] = a[i] / b[i]
                steps += 1
    finally:
        print(a[0])
    return steps


def told(a: Any, b: Any, n: int) -> Any:
    """What ``finally`` reads is there when it runs."""
    steps = 0
    print("begins")
    try:
        for i in range(n):
            a[i] = a[i] / b[i]
            steps += 1
    finally:
        print(steps)
    return steps


def suppressed(a: Any, b: Any, n: int) -> Any:
    print("begins")
    steps = 0
    with contextlib.suppress(IndexError):
        for i in range(n):
            a[i] = a[i] / b[i]
            steps += 1
    return steps


def again(a: Any, b: Any, n: int) -> Any:
    """A handler that goes on with the next iteration of a loop that reads what the loop in the block assigns."""
    print("begins")
    total, report = 0.0, {}
    for m in (n - 1, n, n + 1):
        try:
            report[m] = total
            for i in range(m):
                total += a[i] * b[i]
        except IndexError:
            continue
        report[-m] = total
    return report, total


@pytest.mark.parametrize(("function", "found"), [
    (summed, 1), (kept_from_ending, 0), (replaced, 1), (finished, 1), (told, 0), (suppressed, 0), (again, 0),
])  # fmt: skip
def test_loops_in_blocks_that_exceptions_leave(function: Any, found: int, capsys: pytest.CaptureFixture[str]) -> None:
    made = lift(function, lambda loop: loop)
    assert (0 if made is None else len(made.loops)) == found
    accelerated: Callable[..., Any] = accelerate(function)
    rng = np.random.default_rng(3)
    for n in (60, 60, 70, 60, 71, 60):
        a, b = rng.random(60), rng.random(60)
        one, other = a.copy(), a.copy()
        results = []
        for call, x in ((function, one), (accelerated, other)):
            try:
                result = call(x, b, n)
            except IndexError as error:
                result = repr(error)
            results.append((result, capsys.readouterr().out))
        assert results[0] == results[1]
        if not isinstance(results[0][0], str) or "Error" not in results[0][0]:  # (Else they are as before the call.)
            assert_same(one, other)
        if found:  # (A loop that is made a function leaves what it has written.)
            assert_same(one, other)
