"""What is computed when somebody looks at a lazy array."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazyarr.numpy as lnp
from lazyarr.plans import plans
from lazyarr.settings import settings
from tests.agree import is_computed
from tests.evaluations import graphs_run


def test_what_shares_work_is_computed_with_it() -> None:
    a = lnp.arange(5.0)
    work = lnp.sin(a) + 1
    one, two, other = work * 2, work * 3, lnp.cos(lnp.ones(5))
    np.testing.assert_array_equal(np.asarray(one), (np.sin(np.arange(5.0)) + 1) * 2)
    assert is_computed(work) and is_computed(two)
    assert not is_computed(other), "it shares nothing"
    np.testing.assert_array_equal(np.asarray(two), (np.sin(np.arange(5.0)) + 1) * 3)
    np.testing.assert_array_equal(np.asarray(other), np.cos(np.ones(5)))


def test_data_that_exists_is_no_shared_work() -> None:
    a = lnp.asarray(np.arange(5.0))
    one, two = a + 1, a * 2
    np.asarray(one)
    assert not is_computed(two)


def test_what_is_larger_waits() -> None:
    a = lnp.arange(50.0) + 1
    table = a[:, None] * a
    assert float(a.sum()) == 1275.0
    assert not is_computed(table)
    np.testing.assert_array_equal(np.asarray(table), np.outer(np.arange(1.0, 51), np.arange(1.0, 51)))


def test_writes_come_after_what_was_read() -> None:
    a = lnp.arange(6.0) + 1
    b, c = a * 2, a[::2] + 10
    a[0] = 100
    assert float(c.sum()) == 39.0
    np.testing.assert_array_equal(np.asarray(b), np.arange(1.0, 7) * 2)
    np.testing.assert_array_equal(np.asarray(a), [100.0, 2, 3, 4, 5, 6])


def test_time_loops_that_look_at_one_of_two_arrays_run_few_programs() -> None:
    def function(n: Any, u: Any, v: Any) -> Any:
        for _ in range(12):
            work = u * v * v
            u += 0.16 * n.roll(u, 1) - work
            v += 0.08 * n.roll(v, 1) + work - 0.1 * v
            if v.max() < 1e-9:
                break
        return v

    plans.clear()
    u, v = np.linspace(0, 1, 50), np.linspace(1, 0.5, 50)
    for _ in range(2):
        found = function(lnp, lnp.array(u), lnp.array(v))
    np.testing.assert_array_equal(np.asarray(found), function(np, u.copy(), v.copy()))
    assert len(plans._plans) <= 3


def test_small_results_of_the_same_large_array_are_computed_together() -> None:
    x = np.random.default_rng(1).random(100_000)
    a = lnp.asarray(x)
    least, mean, spread, row = a.min(), a.mean(), (a - 0.5).std(), a.reshape(1000, 100).max(axis=1)
    namespace: Any = lnp
    large, ordered, transformed = a + 1, lnp.sort(a)[::50000].sum(), abs(namespace.fft.fft(a)[3])
    other = lnp.asarray(x[::-1].copy()).max()
    np.testing.assert_array_equal(np.asarray(least), x.min())
    assert is_computed(mean) and is_computed(spread) and is_computed(row)
    assert not is_computed(large), "it is as large"
    assert not is_computed(ordered) and not is_computed(transformed), "they take longer"
    assert not is_computed(other), "of another array"
    np.testing.assert_allclose(np.asarray(mean), x.mean(), rtol=1e-14)
    np.testing.assert_array_equal(np.asarray(row), x.reshape(1000, 100).max(axis=1))
    np.testing.assert_array_equal(np.asarray(ordered), np.sort(x)[::50000].sum())


def test_what_was_recorded_before_a_write_has_the_old_values() -> None:
    x = np.random.default_rng(2).random(100_000)
    a = lnp.asarray(x.copy())
    before = a.max(), a.sum()
    a[:50_000] = 2.0
    after = a.max(), a.min()
    np.testing.assert_array_equal(np.asarray(after[0]), 2.0)
    np.testing.assert_array_equal(np.asarray(before[0]), x.max())
    np.testing.assert_allclose(np.asarray(before[1]), x.sum(), rtol=1e-13)


def test_what_waits_is_computed_once_much_was_passed_by() -> None:
    a, found, computed = lnp.asarray(np.arange(2000.0)), lnp.zeros(2000) + 0, []
    for i in range(60):
        values = a[a > 10.0 * i]
        computed.append(is_computed(found))
        found[i] = values.mean()
    assert 3 < computed.count(True) < 30
    expected = [np.arange(2000.0)[np.arange(2000.0) > 10.0 * i].mean() for i in range(60)]
    np.testing.assert_allclose(np.asarray(found), [*expected, *[0.0] * 1940], rtol=1e-15)


def test_many_arrays_are_joined_without_compiling(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node of a thousand operands is the work of as many: LLVM would take seconds for what NumPy does at once."""
    monkeypatch.setattr(plans, "get", lambda program: pytest.fail("it is compiled"))
    with settings(compile_after=2):
        for turn in range(6):  # (Interpreting them takes less time than a part of that of compiling.)
            rows = [np.arange(100.0) + turn + i for i in range(1000)]
            found = lnp.concatenate([lnp.asarray(row) for row in rows])
            np.testing.assert_array_equal(np.asarray(found), np.concatenate(rows))


def test_a_loop_is_computed_at_one_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several operations of a line, and a function that is called twice, do not make graphs of several phases."""
    ran = graphs_run(monkeypatch)

    def beside(x: Any) -> Any:
        return x[2:] + x[:-2] + x[1:-1] + x[:-2]

    u, v = lnp.zeros(200), lnp.ones(200)
    expected = np.zeros(200), np.ones(200)
    with settings(flush_after=50, eager_below=0):
        for _ in range(120):
            u[1:-1] += 0.1 * beside(v) + 0.2 * beside(u)
            v[1:-1] = 0.3 * beside(u)
    for _ in range(120):
        expected[0][1:-1] += 0.1 * beside(expected[1]) + 0.2 * beside(expected[0])
        expected[1][1:-1] = 0.3 * beside(expected[0])
    assert np.array_equal(np.asarray(u), expected[0]) and np.array_equal(np.asarray(v), expected[1])
    # (The first has what is before the loop, the last ends where data is looked at.)
    assert len(ran) > 20 and len(set(ran[1:-2])) == 1
