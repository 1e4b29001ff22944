"""Loops that stop for what only Python does: prints, texts, files; what is between is compiled."""

from __future__ import annotations

import ast
import contextlib
import io
import itertools
import math
import numbers
import types
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lazyarr import accelerate
from lazyarr.settings import settings as configured
from lazyarr.tracing.accelerated import Accelerated
from lazyarr.tracing.around_loops import AroundLoops
from lazyarr.tracing.capture.control import Capture
from lazyarr.tracing.control import lifting
from lazyarr.tracing.control.find import find
from tests.acceleration import assert_same
from tests.control_compare import check, define, forget
from tests.control_random import random_function
from tests.test_control import EXAMPLES
from tests.test_lifting import lifted

pytestmark = pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")


class _SomeLines:
    """Takes what is on some lines of a program for foreign."""

    seed = 0
    range_is_range = True

    def __init__(self, *_: Any):
        pass

    def within(self, node: ast.AST) -> bool:
        jumps = ast.For, ast.While, ast.If, ast.Break, ast.Continue, ast.Return
        return any(
            isinstance(n, ast.stmt) and not isinstance(n, jumps) and hash((n.lineno, self.seed)) % 4 == 0
            for n in ast.walk(node)
        )


@pytest.mark.slow
@given(st.randoms(use_true_random=False), st.integers(0, 10**6))
@settings(
    max_examples=EXAMPLES // 2, deadline=None, database=None, derandomize=EXAMPLES <= 2000,
    suppress_health_check=[*HealthCheck],
)  # fmt: skip
def test_random_programs(random: Random, seed: int) -> None:
    text = random_function(random)
    try:
        compile(text, "program", "exec")
    except SyntaxError:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lifting, "Foreign", _SomeLines)
        patch.setattr(_SomeLines, "seed", seed)
        check(text, (1, 2, [3, 1, 0]), (0, 3, [1, 1, 2]), transform=lifted)


def relaxed(u: Any, n: int) -> Any:
    for i in range(n):
        before = u.copy()
        u[1:-1] = before[1:-1] + 0.1 * (before[2:] - 2 * before[1:-1] + before[:-2])
        change = np.abs(u - before).max()
        if i % 7 == 0:
            print(i, f"{change:.12e}")
        u[0] = 0.0
    return change, i


def converged(u: Any, tol: float) -> Any:
    it, change = 0, 1.0
    while change > tol:
        before = u.copy()
        u[1:-1] = 0.5 * (before[2:] + before[:-2])
        change = np.abs(u - before).max()
        it += 1
        if it % 5 == 0:
            print(f"iteration {it}: {change:.15g}")
        elif it > 40:
            break
    return it, change


def announced(u: Any, n: int) -> Any:
    for i in range(n, 0, -2):
        print(i)
        u[1:-1] = 0.5 * (u[2:] + u[:-2])
        for k in range(1, len(u)):
            u[k] += 0.01 * u[k - 1]
    return u.sum()


def two_stops(u: Any, n: int) -> Any:
    total = 0.0
    for i in range(2, n):
        u *= 0.99
        if i % 3 == 1:
            print("first", total)
            if i > 20:
                print("out")
                break
        else:
            total += u[i]
        u += 0.001
        if u[0] > 0.9:
            continue
        total *= 1.5
        if i % 4 == 2 and total > 1:
            print("second", str(total))
            total = math.sqrt(total)
    return total, u[:3]


def ended(u: Any, n: int) -> Any:
    for i in range(n):
        u = u * 0.9 + 0.01
        if i % 6 == 5:
            print(i)
        if u.max() < 0.3:
            print("small", i)
            break
        u[1:] += 0.01 * u[:-1]
    return u


def nested(u: Any, rounds: int) -> Any:
    best = 0.0
    for turn in range(rounds):
        v = u.copy()
        for i in range(30):
            v[1:-1] = 0.5 * (v[2:] + v[:-2])
            if i == 17:
                print(turn, v[3])
        best = max(best, v.max())
        u += 0.1
    return best


def failing(u: Any, n: int) -> Any:
    for i in range(n):
        u[i] += 1.0
        if i % 4 == 3:
            print(u[i])
    return u


def drawn(n: int = 31) -> np.ndarray[Any, Any]:
    return np.random.default_rng(n).random(n)


def _called(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[str, Any]:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        result = function(*arguments)
    return printed.getvalue(), result


@pytest.mark.parametrize("always", [0, 1])
@pytest.mark.parametrize(
    ("function", "counts"),
    [
        (relaxed, (25, 1, 24)), (converged, (1e-3, 1e-9, 2.0)), (announced, (9, 2, 0)), (two_stops, (31, 12, 3)),
        (ended, (40, 5, 0)), (nested, (3, 1, 0)), (failing, (31, 0)),
    ],
)  # fmt: skip
def test_calls_do_what_plain_ones_do(function: Callable[..., Any], counts: tuple[Any, ...], always: int) -> None:
    accelerated: Any = accelerate(function)
    with configured(always=always):
        for count in counts * 4:
            plain, own = (drawn(), count), (drawn(), count)
            expected, found = _called(function, plain), _called(accelerated, own)
            assert found[0] == expected[0]
            assert_same(expected[1], found[1])
            assert_same(plain, own)


@pytest.mark.parametrize(
    ("function", "count"),
    [(relaxed, 25), (converged, 1e-4), (announced, 9), (two_stops, 31), (ended, 40), (nested, 3)],
)
def test_what_is_between_the_stops_is_compiled(function: Callable[..., Any], count: Any) -> None:
    accelerated: Any = accelerate(function)
    with configured(always=0):
        for _ in range(6):
            _called(accelerated, (drawn(), count))
    around = accelerated._around
    assert around.stops and any(loop._known for loop in around._lifted.loops)


def test_an_error_comes_from_the_users_line_with_what_was_done() -> None:
    for function in (failing, accelerate(failing)):
        u = drawn(10)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), pytest.raises(IndexError, match="index 10 is out of bounds") as error:
            function(u, 12)
        assert printed.getvalue().count("\n") == 2
        own = [entry for entry in error.traceback if str(entry.path) == __file__]
        assert str(own[-1].statement).strip() == "u[i] += 1.0"
        if function is failing:
            np.testing.assert_array_equal(u, drawn(10) + 1)


def announced_and_changed(u: Any, tol: float) -> Any:
    print("begin")
    a, change, steps = u, 1.0, 0
    while change > tol and steps < 50:
        b = 0.5 * (np.roll(a, 1) + np.roll(a, -1))
        change = np.abs(a - b).max()
        a, steps = b, steps + 1
    print("end", steps)
    a[0] = 3.0
    return a, u


@pytest.mark.parametrize("always", [0, 1])
def test_nothing_is_printed_twice_where_an_array_of_a_loop_is_changed(always: int) -> None:
    accelerated: Any = accelerate(announced_and_changed)
    with configured(always=always):
        for tol in (1e-2, 2.0, 1e-3, 2.0):
            expected = _called(announced_and_changed, (drawn(), tol))
            found = _called(accelerated, (drawn(), tol))
            assert found[0] == expected[0]
            assert_same(expected[1], found[1])


def own_range(*bounds: int) -> Any:
    print("range", bounds)
    return range(*bounds)


def test_what_counts_are_the_ints_of_the_range() -> None:
    def of_numpy(u: Any, n: Any) -> Any:
        for i in range(np.int8(100), n):
            u[1:] += 0.1 * u[:-1]
            print(i, type(i).__name__)
        return u

    def of_its_own(u: Any, n: Any, range: Any = own_range) -> Any:
        for i in range(n):
            u[1:] += 0.1 * u[:-1]
            print(i)
        return u

    for function, n in (of_numpy, np.uint8(130)), (of_numpy, np.array(104)), (of_its_own, 3):
        accelerated: Any = accelerate(function)
        for _ in range(4):
            expected, found = _called(function, (drawn(), n)), _called(accelerated, (drawn(), n))
            assert found[0] == expected[0]
            assert_same(expected[1], found[1])


def test_no_iterations_leave_variables_without_values() -> None:
    accelerated: Any = accelerate(relaxed)
    for function in (relaxed, accelerated, accelerated):
        with pytest.raises(UnboundLocalError, match="change"):
            function(drawn(), 0)


def checked(u: Any) -> Any:
    return 1 if isinstance(u, numbers.Number) else np.sum(u)


@pytest.mark.parametrize(
    ("statement", "foreign"),
    [
        ("print(u)", True), ("s = f'{u[0]}'", True), ("s = '%g' % u[0]", True), ("s = '{}'.format(u[0])", True),
        ("s = str(u[0])", True), ("np.save('x', u)", True), ("log.info('x')", True), ("shown(u)", True),
        ("bar.update(1)", True), ("time.sleep(0)", True), ("u.sort()", False), ("u += np.sin(u)", False),
        ("u += np.random.rand(31)", False), ("u += stream.normal(size=31)", False), ("np.random.seed(3)", False),
        ("u += np.random.beta(2.0, 3.0, size=31)", True), ("u += stream.beta(2.0, 3.0, size=31)", False),
        ("u += stream.hypergeometric(9, 8, 7, size=31)", True),
        ("u += np.random.default_rng(2).random(31)", False), ("u[0] = math.sqrt(2)", False),
        ("k = computed(u)", False), ("k = i % 7", False), ("u[0] = table.sum()", False),
        ("u += bar.dot(u)", False), ("bar.tofile('x')", True), ("k = checked(u)", False),
    ],
)  # fmt: skip
def test_what_is_foreign(statement: str, foreign: bool) -> None:
    import logging
    import time

    def shown(u: Any) -> None:
        print(u)

    def computed(u: Any) -> Any:
        return np.sum(u)

    lines = "def f(u, n):", "    bar = open(n)", "    for i in range(n):", "        u *= 2", f"        {statement}"
    text = "\n".join([*lines, "    return u", ""])
    names: dict[str, Any] = {"np": np, "log": logging.getLogger("x"), "time": time, "math": math}
    names |= {"table": drawn(), "shown": shown, "computed": computed, "checked": checked}
    names["stream"] = np.random.default_rng(1)
    function = define(text, **names)
    calls: list[types.FunctionType] = []

    def kept(loop: types.FunctionType) -> types.FunctionType:
        calls.append(loop)
        return loop

    found = lifting.lift(function, kept)
    assert found is not None and found.stops == foreign
    body = ast.unparse(find(calls[0]).node)
    assert (statement.split("(")[0] in body) is not foreign
    forget(function)


def test_loops_that_numpy_runs_between_all_stops_are_plain_python() -> None:
    def inside(n: int) -> float:
        rng = np.random.RandomState(3)
        count = 0
        for _ in range(n):
            x = rng.random_sample()
            y = rng.random_sample()
            if x * x + y * y < 1:
                count += 1
        return 4 * count / n

    accelerated: Any = accelerate(inside)
    for _ in range(30):
        assert accelerated(3000) == inside(3000)
    assert accelerated._around is None or not any(accelerated._around.loops(key) for key in accelerated._plain)


def test_loops_over_small_arrays_that_grow_are_plain_python_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def inside(n: int) -> Any:
        print("begins")
        x = history = np.zeros((2, 1))
        while n:
            n -= 1
            x = np.array([[0.9, 0.1], [0.0, 0.8]]) @ x + 1.0
            history = np.hstack((history, x))
            if n % 50 == 0:
                print(history.shape)
        return history

    traced: list[Any] = []
    monkeypatch.setattr(Capture, "_repeated", lambda *args: traced.append(args))
    accelerated: Any = accelerate(inside)
    with configured(always=0):
        for _ in range(4):
            assert_same(accelerated(200), inside(200))
    # (In pieces it takes hundreds of times as long: a call that has printed cannot be begun again.)
    assert not traced and accelerated.is_plain


def test_the_time_of_compiling_loops_is_not_that_of_later_calls() -> None:
    times = itertools.accumulate(itertools.cycle((0.0, 1.0)))
    clock = types.SimpleNamespace(perf_counter=lambda: next(times))
    function = define("def f(x):\n    for k in range(len(x)):\n        x[k] += k\n    return x\n", np=np)
    loops = AroundLoops(function, Accelerated)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lazyarr.tracing.around_loops.time", clock)
        for _ in range(3):
            loops.run("key", lambda f, args, kwargs: f(*args), function, (np.zeros(9),), {})
        assert not loops._trials  # two calls that took a second are no trial
        for _ in range(5):
            loops.run("key", lambda f, args, kwargs: f(*args), function, (np.zeros(9),), {})
    assert not loops._trials["key"].plain_is_next  # as each call takes so long, plain Python is not tried
    forget(function)
