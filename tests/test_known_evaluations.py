"""Graphs that are evaluated again and again: what is decided once, and the native code that takes their arrays."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import lazyarr.numpy
from lazyarr import pending
from lazyarr.backends.native_python import supported
from lazyarr.compilers import first_compiler
from lazyarr.evaluations import _OFTEN, Known
from lazyarr.plans import plans
from lazyarr.settings import settings
from tests.evaluations import all_recorded

TIMES = _OFTEN + 12
lnp: Any = lazyarr.numpy
needs_direct = pytest.mark.skipif(
    first_compiler() != "native" or not supported(), reason="there are no direct calls on this machine"
)


@pytest.fixture(autouse=True)
def recorded() -> Iterator[None]:
    pending.forget()
    with all_recorded(compile_after=1):
        yield
    pending.forget()


def known() -> list[Known]:
    """What is known of the graphs that came since the test began."""
    return [form.known for form in pending._forms.values() if form.known is not None]


def agree(function: Callable[..., Any], make: Callable[[int], tuple[Any, ...]], times: int = TIMES) -> None:
    """Check all that a function gives, for other data each time, and that no result shares memory with another."""
    before: list[Any] = []
    for k in range(times):
        given = make(k)
        lazy = tuple(lnp.array(x) if isinstance(x, np.ndarray) else x for x in given)
        want = function(np, *given)
        found = [np.asarray(x) for x in function(lnp, *lazy)]
        for w, f in zip(want, found, strict=True):
            assert np.asarray(w).dtype == f.dtype
            np.testing.assert_array_equal(f, w)
        for k, f in enumerate(found):
            assert not any(np.shares_memory(f, x) for x in (*found[:k], *before))
        before = found


def two(k: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(k)
    return rng.random(700), rng.random(700)


@needs_direct
def test_native_code_takes_the_arrays_in_the_end() -> None:
    agree(lambda n, a, b: (a + 2.0 * (b - a), (a * b).sum(), np.float64(1.0)), two)
    assert any(found._direct is not None for found in known())


def test_numbers_that_vary() -> None:
    agree(lambda n, a, b, k: (a * k + b, n.where(a > 0.5, k, b)), lambda k: (*two(k), 0.25 * k))


def test_values_that_are_equal_have_memory_of_their_own() -> None:
    def run(n: Any, a: Any, b: Any) -> Any:
        one, other = a + b, b + a
        return one, other, one + 0.0 * other, a * 1.0

    agree(run, two)


def test_orders_that_change_in_between() -> None:
    def make(k: int) -> tuple[Any, ...]:
        a, b = (x[:690].reshape(23, 30) for x in two(k))
        return (np.asfortranarray(a), b) if k % 7 == 3 else (a, b.astype("f4") if k > _OFTEN + 5 else b)

    agree(lambda n, a, b: (a - b, (a * b).sum(axis=0), b.T.copy()), make)


def test_data_that_may_not_be_written() -> None:
    shown = np.arange(700.0)
    shown.flags.writeable = False

    def run(n: Any, a: Any, b: Any) -> Any:
        return (n.asarray(shown) * a - b,)

    agree(run, two)


def test_arrays_that_are_changed_in_place() -> None:
    def run(n: Any, a: Any, b: Any) -> Any:
        a += b
        a[3:40] *= 2.0
        b[::2] -= a[::2]
        return a.copy(), b.copy()

    agree(run, two)


def test_what_lives_on_is_computed_with_it() -> None:
    kept: list[Any] = []
    for k in range(TIMES):
        a, b = two(k)
        x, y = lnp.array(a), lnp.array(b)
        s, t = x + y, x * y
        kept = [(s, a + b), (t, a * b)]
        np.testing.assert_array_equal(np.asarray((s - t).max()), ((a + b) - a * b).max())
        for lazy, want in kept:
            np.testing.assert_array_equal(np.asarray(lazy), want)


def test_singular_after_many_regular_ones() -> None:
    for k in range(TIMES):
        a = lnp.array(np.eye(5) * (k + 1))
        np.testing.assert_allclose(np.asarray(lnp.linalg.inv(a) + 0.0), np.eye(5) / (k + 1))
    with pytest.raises(np.linalg.LinAlgError):
        np.asarray(lnp.linalg.inv(lnp.array(np.zeros((5, 5)))) + 0.0)
    a = lnp.array(np.eye(5))
    np.testing.assert_array_equal(np.asarray(lnp.linalg.inv(a) + 0.0), np.eye(5))


@pytest.mark.parametrize("change", [lambda: plans.clear(), lambda: settings(threads=1)], ids=["cleared", "threads"])
def test_nothing_is_known_after_changes(change: Callable[[], Any]) -> None:
    def run(n: Any, a: Any, b: Any) -> Any:
        return n.sqrt(a) - b, (a * b).max()

    agree(run, two)
    assert known()
    context = change()
    if context is not None:
        with context:
            assert not known()
            agree(run, two, 5)
    assert not known()
    agree(run, two)


def test_threads_at_once() -> None:
    wrong: list[str] = []

    def work(seed: int) -> None:
        for k in range(TIMES):
            a, b = two(100 * seed + k)
            x, y = lnp.array(a), lnp.array(b)
            found = np.asarray(lnp.sqrt(x) + x * y)
            if not np.array_equal(found, np.sqrt(a) + a * b):
                wrong.append(f"thread {seed}, call {k}")

    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_memory_of_arrays_that_nobody_has_is_used_again() -> None:
    a = np.random.default_rng(0).random(1 << 18)
    x = lnp.array(a)
    for _ in range(TIMES):
        a = a * 0.5 + 1.0
        x = x * 0.5 + 1.0
        assert float(x[5]) == a[5]
    np.testing.assert_array_equal(np.asarray(x), a)
