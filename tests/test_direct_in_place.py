"""Programs that write into the caller's arrays, where nothing may fail any more; and those that do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazyarr.backends.native import compile
from lazyarr.backends.native_python import supported
from lazyarr.ir.graph import Graph
from tests.acceleration import compiled_programs
from tests.direct_calls import check_direct, compare, ready
from tests.random_regions import region_graphs
from tests.test_native import arguments, same

pytestmark = [
    pytest.mark.filterwarnings("ignore::lazyarr.report.FallbackWarning"),
    pytest.mark.skipif(not supported(), reason="another Python"),
]
N = 40


def donated(accelerated: Any) -> list[int]:
    """How many parameters each program writes into."""
    return [len(c.plan.alone()[0].program.donated) for c in compiled_programs(accelerated)]


def test_an_array_that_is_changed() -> None:
    def function(a: Any, b: Any) -> None:
        for i in range(1, N):
            a[i] += a[i - 1] * b[i]

    accelerated = check_direct(function, lambda: (np.ones(N), np.ones(N)))
    assert donated(accelerated) == [1]


@pytest.mark.parametrize("steps", [20, 21])
def test_two_arrays_that_exchange_their_places(steps: int) -> None:
    def function(a: Any, b: Any, n: int) -> Any:
        x, y = a.copy(), b.copy()
        for _ in range(n):
            x, y = y, x * 0.5 + 1
        a[:], b[:] = x, y
        return x

    accelerated = check_direct(function, lambda: (np.arange(float(N)), np.ones(N), steps))
    for n in (1, 2, 33):
        compare(accelerated, function, lambda n=n: (np.arange(float(N)), np.ones(N), n))  # type: ignore[misc]


def test_contents_that_are_exchanged() -> None:
    def function(a: Any, b: Any, c: Any, n: int) -> Any:
        for i in range(n):
            old = a.copy()
            a[:] = b * 1.0
            b[:] = c
            c[:] = old + i
        return a + b, old

    for n in range(20, 24):
        check_direct(function, lambda n=n: (np.zeros(N), np.ones(N), np.arange(float(N)), n))  # type: ignore[misc]


def test_a_result_that_is_what_the_array_was() -> None:
    def function(a: Any, n: int) -> Any:
        before = a.copy()
        for i in range(n):
            a[i] = 2 * i
        return before, a, a[::2], before + 0

    check_direct(function, lambda: (np.ones(N), N))


def test_results_that_are_what_an_array_is() -> None:
    def function(a: Any, b: Any, n: int) -> Any:
        total = 0.0
        for i in range(n):
            total += a[i]
        b[...] = a
        return a * 1, a.copy(), [a.copy(), b * 1], total

    check_direct(function, lambda: (np.arange(float(N)), np.ones(N), N))
    check_direct(function, lambda: (np.arange(2.0 * N)[::2], np.ones(N), N))


def test_arrays_that_are_written_whole() -> None:
    def function(a: Any, b: Any) -> Any:
        t = np.zeros((8, 6))
        for i in range(8):
            t[i] = b[i] * 2
        a[:] = t
        b[1:] = a[:-1]
        for i in range(20):
            a[i % 8] += t[0]

    check_direct(function, lambda: (np.ones((8, 6)), np.arange(48.0).reshape(8, 6)))


def test_memory_in_another_order_is_copied() -> None:
    def function(a: Any) -> Any:
        for i in range(1, 8):
            a[i] += a[i - 1]
        return a.sum()

    check_direct(function, lambda: (np.asfortranarray(np.arange(48.0).reshape(8, 6)),))


def test_what_may_fail_later_is_not_in_place() -> None:
    def function(a: Any, index: Any) -> Any:
        for i in range(N):
            a[i] *= 2
        for i in range(N):
            a[index[i]] += 1
        return a.sum()

    def make(last: int) -> Any:
        return lambda: (np.ones(N), np.array([*range(N - 1), last]))

    accelerated = check_direct(function, make(3))
    assert donated(accelerated) == [0]
    own = make(N)()
    with pytest.raises(IndexError):
        accelerated(*own)
    np.testing.assert_array_equal(own[0], np.ones(N))


def test_what_fails_before_is_in_place() -> None:
    def function(a: Any, index: Any) -> Any:
        total = 0
        for i in range(N):
            total += index[index[i]]
        for i in range(N):
            a[i] += total
        return a[0]

    def make(last: int) -> Any:
        return lambda: (np.ones(N), np.array([*range(N - 1), last]))

    accelerated = check_direct(function, make(3))
    assert donated(accelerated) == [1]
    own = make(N)()
    with pytest.raises(IndexError):
        accelerated(*own)
    np.testing.assert_array_equal(own[0], np.ones(N))
    assert compare(accelerated, function, make(7))


def test_numpy_in_the_middle_is_not_in_place() -> None:
    def function(a: Any, n: int) -> Any:
        for i in range(n):
            a[i] = np.linalg.inv(a)[i]
        return a.sum()

    accelerated = ready(function, lambda: (np.eye(5) * 3, 5))
    assert sum(donated(accelerated)) == 0
    singular = np.eye(5)
    singular[:, 2] = 0
    before = singular.copy()
    with pytest.raises(np.linalg.LinAlgError):
        accelerated(singular, 5)
    np.testing.assert_array_equal(singular, before)


@settings(max_examples=100, deadline=None)
@given(region_graphs(), st.integers(0, 2**20))
def test_random_graphs(graph: Graph, seed: int) -> None:
    """A program whose parameters may be written gives what the others give, and is told of no other's memory."""
    given_arrays = arguments(graph, seed)
    kept = [np.array(x) for x in given_arrays]
    expected = compile(graph)(given_arrays)
    got = compile(graph, tuple(range(len(graph.params))))(given_arrays)
    for x, y in zip(expected, got, strict=True):
        assert same(x, y)
    for before, after in zip(kept, given_arrays, strict=True):
        np.testing.assert_array_equal(before, after)


def test_types_that_data_decides_are_known_before_writing_in_place() -> None:
    def function(a: Any, b: Any, limit: float) -> Any:
        kind = 0.25
        a[-1] -= b.sum()
        if limit < b[1]:
            kind = np.minimum(b[0], b[2])
        return a, kind

    def make(second: float) -> Any:
        return lambda: (np.arange(4.0), np.array([3.0, second, 2.0]), 1.0)

    accelerated = ready(function, make(0.5))
    for second in (2.0, 0.5, 3.0):
        compare(accelerated, function, make(second))
    assert set(donated(accelerated)) == {1}
