"""Loops made functions of their own: the function around them does what it did, and the loops are compiled."""

from __future__ import annotations

import types
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lazyarr import accelerate
from lazyarr.tracing.accelerated import Accelerated
from lazyarr.tracing.control.lifting import lift
from tests.acceleration import assert_same
from tests.control_compare import check
from tests.control_random import random_function
from tests.control_snippets import SNIPPETS
from tests.test_control import EXAMPLES

pytestmark = pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")


def lifted(function: types.FunctionType) -> Callable[..., Any]:
    """A function with all of its loops made functions, those in them too."""
    found = lift(function, lifted)
    return function if found is None else found.function


def straightened(function: types.FunctionType) -> Callable[..., Any]:
    """The same, with the statements that no loop repeats."""
    found = lift(function, straightened, None, large=True)
    return function if found is None else found.function


def count_loops(function: types.FunctionType) -> int:
    """How many loops of a function are made functions, one in the other."""
    found: list[int] = []
    lift(function, lambda loop: found.append(1 + count_loops(loop)))
    return sum(found)


@pytest.mark.parametrize("transform", [lifted, straightened])
@pytest.mark.parametrize("name", SNIPPETS)
def test_snippet(name: str, transform: Callable[..., Any]) -> None:
    text, calls = SNIPPETS[name]
    check(text, *calls, transform=transform)


@pytest.mark.slow
@given(st.randoms(use_true_random=False))
@settings(
    max_examples=EXAMPLES, deadline=None, database=None, derandomize=EXAMPLES <= 2000,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_random_programs(random: Random) -> None:
    text = random_function(random)
    try:
        compile(text, "program", "exec")
    except SyntaxError:
        return
    for transform in (lifted, straightened):
        check(text, (1, 2, [3, 1, 0]), (0, 3, [1, 1, 2]), transform=transform)


def warping(a: Any, b: Any) -> Any:
    n, m = len(a), len(b)
    total = np.full((n + 1, m + 1), np.inf)
    total[0, 0] = 0.0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            least = min(total[i - 1, j], total[i, j - 1], total[i - 1, j - 1])
            total[i, j] = abs(a[i - 1] - b[j - 1]) + least
    path = []
    i, j = n, m
    while i > 0 or j > 0:
        path.append({i - 1: j - 1})
        step = np.argmin([total[i - 1, j - 1], total[i - 1, j], total[i, j - 1]])
        if step == 0:
            i, j = i - 1, j - 1
        elif step == 1:
            i -= 1
        else:
            j -= 1
    return total[n, m], path[::-1]


def smoothed(x: Any, factor: float) -> Any:
    y = np.zeros_like(x)
    for i in range(1, len(x)):
        y[i] = factor * y[i - 1] + x[i]
    try:
        count = int(f"{y.size}?")
    except ValueError:
        count = -1
    parts: dict[Any, Any] = {}
    with np.errstate(divide="ignore"):
        parts["inverse"] = 1 / (y + 3)
    parts[count] = f"{y[-1]:.6f}"
    return y, parts


def peaks(x: Any) -> Any:
    y, level = np.empty_like(x), 0.0
    for i in range(len(x)):
        level = 0.8 * level + 0.2 * x[i]
        y[i] = level
    found = []
    for i in range(1, len(y) - 1):
        if y[i] > y[i - 1] and y[i] > y[i + 1]:
            found.append({i: float(y[i])})
    return found, level


def grouped(x: Any, centres: Any, rounds: int) -> Any:
    """A loop that keeps a record, with loops in it."""
    centres, near, record = centres.copy(), np.zeros(len(x), dtype=int), []
    for turn in range(rounds):
        for i in range(len(x)):
            best = np.inf
            for c in range(len(centres)):
                distance = (x[i, 0] - centres[c, 0]) ** 2 + (x[i, 1] - centres[c, 1]) ** 2
                if distance < best:
                    best = distance
                    near[i] = c
        for c in range(len(centres)):
            if np.any(near == c):
                centres[c] = x[near == c].mean(axis=0)
        record.append({"turn": turn, "spread": float(((x - centres[near]) ** 2).sum())})
    return centres, near, record


def stopped(x: Any, limit: float) -> Any:
    """What a loop has done before an exception is there afterwards."""
    for i in range(1, len(x)):
        x[i] += x[i - 1]
    log = []
    try:
        for i in range(len(x)):
            x[i] *= 2.0
            if x[i] > limit:
                raise ArithmeticError(i)
    except ArithmeticError as error:
        log.append((str(error), i))
    return log, x.sum()


def exchanged(a: Any, b: Any, n: int) -> Any:
    """Names that data gives to arrays: what is changed afterwards is the right one."""
    c = b.copy()
    for i in range(n):
        c[i] += a[i]
        if a[i] < 0.5:
            a, c = c, a
    label = {"n": str(n)}
    c[0] = 100.0
    return a, c, label


def drawn(*shape: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(sum(shape)).normal(size=shape)


@pytest.mark.parametrize(
    ("function", "make", "compiled"),
    [
        (warping, lambda: (drawn(40), drawn(37)), 1),
        (smoothed, lambda: (drawn(300), 0.5), None),
        (peaks, lambda: (drawn(400),), 1),
        (grouped, lambda: (drawn(70, 2), drawn(3, 2), 8), None),
        (stopped, lambda: (np.abs(drawn(100)), 30.0), None),
        (exchanged, lambda: (drawn(30), drawn(31), 20), None),
    ],
)
def test_calls_do_what_plain_ones_do(
    function: Callable[..., Any], make: Callable[[], tuple[Any, ...]], compiled: int | None
) -> None:
    accelerated: Any = accelerate(function)
    for _ in range(6):
        plain, own = make(), make()
        assert_same(function(*plain), accelerated(*own))
        assert_same(plain, own)
    if compiled is not None:
        loops = accelerated._around._lifted.loops
        assert sum(bool(loop._known) for loop in loops) == compiled


def test_loops_that_are_functions_and_those_that_cannot_be() -> None:
    def returns(x: Any) -> Any:
        for i in range(len(x)):
            for j in range(i):
                x[i] += x[j]
            if x[i] > 3:
                return i
        return None

    def last(x: Any) -> Any:
        for i in range(len(x)):
            x[i] += 1
        return i

    def made(x: Any) -> Any:
        def step(v: Any) -> Any:
            return v + 1

        for i in range(len(x)):
            x[i] = step(x[i])
        return x

    def watched(x: Any) -> Any:
        total = 0
        read: Any = lambda: total  # noqa: E731
        for v in x:
            total += v
        return read()

    def guarded(x: Any) -> Any:
        try:
            for i in range(9):
                x[i] += 1
        except IndexError:
            x[0] = i
        return x

    counts = [count_loops(f) for f in (warping, grouped, returns, last, made, watched, guarded)]  # type: ignore[arg-type]
    assert counts == [3, 4, 1, 0, 0, 0, 0]


def test_what_a_loop_carries_after_its_jumps_are_branches() -> None:
    """`break` makes the rest of a body a branch; what that assigns is carried, asked for before or not."""

    def least(x: Any) -> Any:
        count, smallest = 0, np.inf
        while True:
            count += 1
            if count > 6:
                break
            smallest = min(smallest, x[count, 1])
        return smallest

    assert isinstance(least, types.FunctionType)
    found = lift(least, lambda loop: Accelerated(loop, strict=True, always=True))
    assert found is not None
    x = np.random.default_rng(3).random((9, 2))
    assert_same(found.function(x), least(x))


def test_explain_shows_what_the_loops_have_become() -> None:
    def records(x: Any) -> Any:
        total = 0.0
        for i in range(1, len(x)):
            total += x[i] * x[i - 1]
        record: dict[Any, Any] = {"total": f"{total:.3f}"}
        for k in range(3):
            for i in range(1, len(x)):
                x[i] += 0.1 * x[i - 1]
            record[x[:1].tobytes()] = k
        return record

    accelerated: Any = accelerate(records)
    x = drawn(300)
    first = records.__code__.co_firstlineno
    before = accelerated.explain(x)
    assert [(loop.line - first, loop.how) for loop in before.lifted] == [(2, "unknown"), (5, "unknown")]
    assert "has not run yet" in str(before)
    for _ in range(4):
        accelerated(x)
    after = accelerated.explain(x)
    outer = after.lifted[1]
    assert [(loop.line - first, loop.how) for loop in after.lifted[:1]] == [(2, "compiled")]
    # (Which of the two takes less time is measured.)
    assert outer.line - first == 5 and outer.how in ("python", "pieces") and outer.why
    assert [loop.line - first for loop in outer.inner] == [6]
    assert "functions of their own" in str(after)


def test_what_is_not_made_a_function_between_loops() -> None:
    class Thing:
        size = 3
        of = 2.0

    def others(x: Any, thing: Any) -> Any:
        a = x * thing.of + 1  # (an object's attribute)
        b = [v + 1 for v in (w * 2 for w in x)]  # (a generator)
        c = f"{x[0] + x[1] * 2}"
        d: Any = x + 1  # (one operation)
        e = x.T * x.size + 1
        for _ in range(2):
            print(c)
        return a, b, c, d, e

    made: list[Any] = []

    def make(function: types.FunctionType) -> Any:
        made.append(function.__code__.co_firstlineno - others.__code__.co_firstlineno)
        return function

    assert isinstance(others, types.FunctionType)
    found = lift(others, make, None, large=True)
    assert found is not None and made == [5, 6]
    assert_same(found.function(np.arange(3.0), Thing()), others(np.arange(3.0), Thing()))


def test_one_program_has_no_such_loops() -> None:
    def sums(x: Any) -> Any:
        total = 0.0
        for v in x:
            total += v
        for v in x:
            total += 2 * v
        return total

    assert accelerate(sums).explain(drawn(30)).lifted == ()  # type: ignore[attr-defined]
