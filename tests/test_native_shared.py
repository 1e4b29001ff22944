"""Loops that threads share: NumPy's results, whoever runs which iterations."""

# Programs stand here as users write them.
# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr.backends import native_costs, native_nests, native_shared, native_threads
from lazyarr.backends.native import compile
from lazyarr.backends.numpy import interpret
from lazyarr.ir.graph import CheckFailed, Graph, Program
from lazyarr.passes.independent import Independent
from lazyarr.plans import plans
from tests.random_shared import seeded
from tests.test_native import arguments as random_arguments
from tests.test_native import same


@pytest.fixture(params=[1, 2, 3])
def threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """So many threads, which share every loop that may be shared."""
    monkeypatch.setattr(native_nests, "WORTH", 0.0)
    monkeypatch.setattr(native_shared, "work", lambda graph: native_costs.Work(1e3))
    native_threads.set_threads(request.param)
    plans.clear()
    yield request.param
    native_threads.set_threads(None)
    plans.clear()


@pytest.fixture
def lowered(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each of the loops that were lowered is shared."""
    found: list[bool] = []
    run = native_shared.run

    def noted(*given: Any) -> bool:
        found.append(run(*given))
        return found[-1]

    monkeypatch.setattr(native_shared, "run", noted)
    return found


def outcome(run: Any, given: list[Any]) -> list[Any] | str:
    try:
        with np.errstate(all="ignore"):
            return list(run([np.array(a) for a in given]))
    except CheckFailed:
        return "failed"


def test_random_loops(threads: int, lowered: list[bool]) -> None:
    marked = 0
    for seed in range(120):
        graph = seeded(seed)
        program = Independent().run(Program(graph)).graph
        marked += any(node.kw.get("shared", ()) for node in program.nodes if node.op.name == "loop")
        given = random_arguments(graph, seed)
        expected = outcome(lambda xs, graph=graph: interpret(graph, xs), given)
        actual = outcome(compile(program), given)
        if isinstance(expected, str) or isinstance(actual, str):
            assert expected == actual, graph
            continue
        for a, b in zip(expected, actual, strict=True):
            assert same(a, b), f"{seed}: {a!r} is expected, not {b!r}\n{program}"
    assert marked > 40
    assert (sum(lowered) > 40) == (threads > 1)


def newton(m, e, tolerance):
    out = np.empty_like(m)
    steps = 0
    for i in range(len(m)):
        x = m[i]
        r = x - e * np.sin(x) - m[i]
        while abs(r) > tolerance:
            x -= r / (1 - e * np.cos(x))
            r = x - e * np.sin(x) - m[i]
            steps += 1
        out[i] = x
    return out, steps


def sparse(pointers, columns, values, x):
    y = np.empty(len(pointers) - 1)
    for i in range(len(pointers) - 1):
        lo, hi = pointers[i], pointers[i + 1]
        y[i] = (values[lo:hi] * x[columns[lo:hi]]).sum()
    return y


def masks(data, radius, rings):
    out = np.zeros(rings)
    for i in range(rings):
        out[i] = data[(radius >= i) & (radius < i + 1)].sum()
    return out


def farthest(x, y):
    best, at, last = -1.0, -1, 0.0
    for i in range(len(x)):
        d = x[i] * x[i] + y[i] * y[i]
        if d > best:
            best, at = d, i
        last = d
    return best, at, last


def smallest(x, y):
    best, at = 1e300, -1
    for i in range(len(x)):
        if x[i] + y[i] <= best:
            best, at = x[i] + y[i], i
    return best, at


def rows(c, a):
    n = c.shape[0]
    for i in range(n):
        c[i, : i + 1] *= 0.5
        for k in range(a.shape[1]):
            c[i, : i + 1] += a[i, k] * a[: i + 1, k]
    return c


def pairs(data):
    n, m = data.shape
    c = np.eye(m)
    for i in range(m - 1):
        for j in range(i + 1, m):
            c[i, j] = np.sum(data[:, i] * data[:, j])
            c[j, i] = c[i, j]
    return c


def temporaries(a):
    out = np.zeros(a.shape[0])
    for i in range(a.shape[0]):
        t = a[i].copy()
        for _ in range(6):
            t = 0.5 * t + 0.25 * t[::-1]
        t[1:] = t[:-1] + t[1:]
        out[i] = t.sum() + (t @ t)
    return out


def programs() -> list[Any]:
    rng = np.random.default_rng(7)
    pointers = np.cumsum([0, *rng.integers(0, 9, 60)])
    count = int(pointers[-1])
    return [
        (newton, (rng.random(101) * 6, 0.5, 1e-9)),
        (sparse, (pointers, rng.integers(-40, 40, count), rng.random(count), rng.random(40))),
        (masks, (rng.random((30, 31)), rng.random((30, 31)) * 12, 11)),
        (farthest, (rng.standard_normal(333), rng.standard_normal(333))),
        (farthest, (np.where(np.arange(50) % 7 == 3, np.nan, np.arange(50.0)), np.ones(50))),
        (farthest, (np.ones(50), np.ones(50))),
        (smallest, (np.ones(50), np.ones(50))),
        (smallest, (rng.integers(0, 4, 90) * 1.0, np.zeros(90))),
        (rows, (rng.random((33, 33)), rng.random((33, 9)))),
        (pairs, (rng.random((20, 21)),)),
        (temporaries, (rng.random((40, 17)),)),
        (temporaries, (rng.random((0, 17)),)),
    ]


@pytest.mark.parametrize("case", range(len(programs())))
def test_programs(case: int, threads: int, lowered: list[bool]) -> None:
    program, given = programs()[case]
    expected_given = [np.array(a) if isinstance(a, np.ndarray) else a for a in given]
    expected = program(*expected_given)
    accelerated = lazyarr.accelerate(strict=True)(program)
    for _ in range(8):
        mine = [np.array(a) if isinstance(a, np.ndarray) else a for a in given]
        actual = accelerated(*mine)
        for x, y in zip([expected, *expected_given], [actual, *mine], strict=True):
            for a, b in zip(*(z if isinstance(z, tuple) else (z,) for z in (x, y)), strict=True):
                np.testing.assert_allclose(b, a, rtol=1e-12, equal_nan=True)
    assert any(lowered) == (threads > 1 and len(given[0]) > 0)


def test_a_failing_guard_leaves_arguments_as_they_were(threads: int, lowered: list[bool]) -> None:
    def program(y, x, k):
        for i in range(len(k)):
            y[i] = x[k[i]]
        return y

    accelerated = lazyarr.accelerate(program)
    rng = np.random.default_rng(0)
    for at in (0, 57, 199):
        k = rng.integers(0, 50, 200)
        y, x = np.zeros(200), rng.random(50)
        np.testing.assert_array_equal(accelerated(y, x, k), x[k])
        k[at] = 50
        before = rng.random(200)
        y = before.copy()
        with pytest.raises(IndexError, match="index 50 is out of bounds for axis 0 with size 50"):
            accelerated(y, x, k)
        np.testing.assert_array_equal(y, before)
    assert any(lowered) == (threads > 1)


def test_a_loop_that_would_run_for_ever_after_an_error(threads: int) -> None:
    def program(x, k):
        y = np.zeros(len(x))
        for i in range(len(x)):
            z = x[k[i]]
            while z != 1.0:
                z = z / 2
            y[i] = z
        return y

    x = np.array([1.0, 2.0, 4.0, 1024.0])
    k = np.array([1, 2, 3, 0] * 20)
    k[2] = 9
    x = np.append(x, np.full(76, 3.0))
    k[70] = 50  # x is 3 there: halving it gives no 1 until it is 0, and then for ever.
    with pytest.raises(IndexError):
        lazyarr.accelerate(program)(x[:80], np.where(k == 9, 90, k))


def test_sums_that_leave_64_bits(threads: int) -> None:
    def program(k):
        total = 0
        for i in range(len(k)):
            total += int(k[i])
        return total

    accelerated = lazyarr.accelerate(program)
    for k in (np.full(40, 2**60), np.full(40, -(2**60)), np.array([2**62, -(2**62)] * 20), np.arange(40)):
        assert accelerated(k) == program(k)


def test_many_calls_at_once(threads: int) -> None:
    """Each call has memory of its own, also where threads have theirs."""
    from concurrent.futures import ThreadPoolExecutor

    rng = np.random.default_rng(3)
    given = [rng.random((40, 17)) for _ in range(8)]
    accelerated = lazyarr.accelerate(temporaries)
    accelerated(given[0])
    with ThreadPoolExecutor(4) as pool:
        for _ in range(10):
            for a, found in zip(given, pool.map(accelerated, given), strict=True):
                np.testing.assert_allclose(found, temporaries(a), rtol=1e-12)


def test_what_python_has_to_do_is_not_shared(threads: int, lowered: list[bool]) -> None:
    def program(a):
        out = np.zeros(a.shape[0])
        for i in range(a.shape[0]):
            out[i] = np.partition(a[i], 2)[2]
        return out

    a = np.random.default_rng(1).random((30, 9))
    np.testing.assert_array_equal(lazyarr.accelerate(program)(a), program(a))
    assert not any(lowered)


def test_what_is_shared_is_what_the_graph_says(threads: int) -> None:
    graph = Independent().run(Program(seeded(0))).graph
    assert isinstance(graph, Graph)
    assert Independent().run(Program(graph)).graph is graph


def test_arguments_that_are_written_in_place(threads: int, lowered: list[bool]) -> None:
    """Calls that copy nothing: an error in the middle still leaves all as it was."""

    def fill(y, x, k):
        for i in range(60):
            y[i] = x[k[i]] + i

    def scale(y, x, k):
        for i in range(60):
            y[i] = x[i] * 2 + y[i]

    rng = np.random.default_rng(5)
    fast, plain = lazyarr.accelerate(scale), scale
    for _ in range(6):
        y, x, k = rng.random(60), rng.random(60), rng.integers(0, 60, 60)
        expected = y.copy()
        plain(expected, x, k)
        fast(y, x, k)
        np.testing.assert_array_equal(y, expected)
    fast, plain = lazyarr.accelerate(fill), fill
    for turn in range(8):
        y, x, k = rng.random(60), rng.random(60), rng.integers(0, 60, 60)
        if turn % 2:
            k[40] = 60
        expected = y.copy()
        if turn % 2:
            with pytest.raises(IndexError):
                fast(y, x, k)
        else:
            plain(expected, x, k)
            fast(y, x, k)
        np.testing.assert_array_equal(y, expected)
    assert any(lowered) == (threads > 1)


def test_counts_in_branches_do_not_tie_iterations(threads: int, lowered: list[bool]) -> None:
    def count(x: np.ndarray[Any, Any]) -> Any:
        above, twice = 0, 0
        for i in range(x.shape[0]):
            if x[i] > 0.5:
                above += 1
                twice += 2
            elif x[i] < 0.25:
                twice -= 1
        return above, twice

    x = np.random.default_rng(3).random(300)
    accelerated = lazyarr.accelerate(strict=True)(count)
    for _ in range(4):
        assert accelerated(x) == count(x)
    assert any(lowered) == (threads > 1)
