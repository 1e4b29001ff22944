"""Calls of accelerated functions that NumPy runs because it takes less time: which, and with the same results."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr.settings import settings
from lazyarr.tracing.accelerated import Accelerated
from lazyarr.tracing.breakeven import POSTPONED
from tests.acceleration import assert_same, programs


@pytest.fixture(autouse=True)
def _by_cost() -> Iterator[None]:
    lazyarr.report().clear()
    with settings(always=0):
        yield
    lazyarr.report().clear()


@dataclass
class Model:
    factor: float
    offset: Any


def little(x: Any) -> Any:
    x += 1
    return (x * 2).sum()


def with_an_object(model: Any, x: Any) -> Any:
    return model.factor * x + model.offset


def looped(x: Any) -> Any:
    for _ in range(5):
        x = x * 0.5 + 1
    return x


def calls(function: Any, make: Any, count: int) -> Any:
    """Call it so often, NumPy beside it; gives the accelerated function."""
    accelerated: Any = lazyarr.accelerate(function)
    for _ in range(count):
        theirs, own = make(), make()
        assert_same(function(*theirs), accelerated(*own))
        assert_same(theirs, own)
    return accelerated


def test_the_first_call_of_little_work_is_numpys() -> None:
    accelerated = calls(little, lambda: (np.arange(8.0),), 1)
    assert programs(accelerated) == 0
    (found,) = lazyarr.report().faster
    assert found.what == "little: a single call takes less time than compiling; the second one compiles"
    assert found.where.startswith("tests/test_breakeven.py:")
    assert "NumPy runs in less time: 1" in str(lazyarr.report())
    accelerated(np.arange(8.0))
    assert programs(accelerated) == 1
    assert not lazyarr.report().faster


def test_shapes_that_come_once_are_not_compiled() -> None:
    accelerated: Any = lazyarr.accelerate(little)
    for n in range(1, 40):
        assert accelerated(np.ones(n)) == little(np.ones(n))
    assert programs(accelerated) == 0


def distance(a: Any, b: Any) -> Any:
    """How many letters make one word the other."""
    d = np.zeros((len(a) + 1, len(b) + 1), dtype=int)
    d[:, 0], d[0, :] = np.arange(len(a) + 1), np.arange(len(b) + 1)
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            changed = d[i - 1, j - 1] + (0 if a[i - 1] == b[j - 1] else 1)
            d[i, j] = min(d[i - 1, j] + 1, d[i, j - 1] + 1, changed)
    return d[-1, -1]


def nearest(x: Any, k: int) -> Any:
    return np.sqrt(((x - x[k]) ** 2).sum(axis=1)).argsort()[:2]


@pytest.mark.parametrize("by_object", [False, True])
@pytest.mark.parametrize("name", ["distance", "nearest"])
def test_little_work_of_many_shapes_is_numpys(name: str, by_object: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lazyarr.tracing.newcomers._SLOWER", 0.0)
    rng = np.random.default_rng(0)
    traces: list[Any] = []
    plain: Any = distance if name == "distance" else nearest
    function: Any = (lambda pair: plain(*pair)) if by_object else plain
    accelerated: Any = lazyarr.accelerate(function)
    traced = accelerated.traced

    def noted(*args: Any) -> Any:
        traces.append(args)
        return traced(*args)

    monkeypatch.setattr(accelerated, "traced", noted)
    for n in range(3, 40):
        args: Any = (rng.integers(0, 3, n), rng.integers(0, 3, n)) if name == "distance" else (rng.random((n, 2)), 1)
        args = (list(args),) if by_object else args
        for _ in range(2):
            assert_same(function(*args), accelerated(*args))
    assert len(traces) <= 16
    (found,) = lazyarr.report().faster
    assert "one of many shapes" in found.what
    # A signature of which the calls have taken as long as compiling is compiled.
    accelerated._even.newcomers._wait = 0.0
    for _ in range(2):
        assert_same(function(*args), accelerated(*args))
    assert programs(accelerated) >= 1


@pytest.mark.parametrize("function", [little, looped])
def test_much_work_and_loops_are_compiled_at_once(function: Any) -> None:
    size = 8 if function is looped else 4_000_000
    assert programs(calls(function, lambda: (np.ones(size),), 1)) == 1


def test_what_is_to_be_compiled_always() -> None:
    for options in ({"always": True}, {"strict": True}):
        accelerated: Any = lazyarr.accelerate(**options)(little)
        accelerated(np.ones(3))
        assert programs(accelerated) == 1, options
    for setting in ({"always": 1}, {"fallback": "error"}):
        accelerated = lazyarr.accelerate(little)
        with settings(**setting):
            accelerated(np.ones(3))
        assert programs(accelerated) == 1, setting
    both: Any = lazyarr.accelerate(lazyarr.accelerate(little), always=True)
    assert both.always
    assert lazyarr.accelerate(both) is both


def test_an_error_in_a_first_call_leaves_arguments_as_they_were() -> None:
    def fails(x: Any, k: Any) -> Any:
        x += 1
        return x.reshape(k, -1)

    x = np.arange(6.0)
    accelerated = lazyarr.accelerate(fails)
    with pytest.raises(ValueError, match="reshape"):
        accelerated(x, 4)
    np.testing.assert_array_equal(x, np.arange(6.0))


def test_what_is_faster_by_the_clock() -> None:
    """An object that holds much, among few elements: taking it apart takes longer than NumPy does."""

    def holding(scale: float, shift: Any) -> Any:
        model: Any = Model(scale, shift)
        model.rest = [0.0] * 70
        return model

    model = holding(2.0, np.ones(3))
    accelerated = calls(with_an_object, lambda: (model, np.arange(3.0)), 12)
    (found,) = lazyarr.report().faster
    assert found.what.endswith("times as fast as the program")
    # By a look at types: it may be another object of the class, and larger arrays.
    for k in range(3):
        model = holding(k, np.arange(4.0))
        assert_same(with_an_object(model, np.arange(4.0)), accelerated(model, np.arange(4.0)))
    big = holding(1.0, np.ones(300_000))
    for _ in range(4):
        assert_same(with_an_object(big, np.ones(300_000)), accelerated(big, np.ones(300_000)))
    assert programs(accelerated) >= 2


@pytest.mark.parametrize(("looked", "settled"), [(0.0, True), (4e-3, True), (6e-3, False), (9.9e-3, False)])
def test_what_looking_into_objects_takes_is_no_work_of_the_program(looked: float, settled: bool) -> None:
    """A call of ten milliseconds is not tried as plain Python, but where they went by before the program ran."""
    from lazyarr.tracing.breakeven import BreakEven

    compiled: Any = SimpleNamespace(
        program=SimpleNamespace(graph=SimpleNamespace(nodes=())), direct=None, calls_numpy=False
    )
    even = BreakEven(lambda args, kwargs: None, False, lambda why: None)
    assert even.settled("signature", compiled, 10e-3, looked) is settled
    assert bool(even._trials) is not settled


@pytest.mark.parametrize("kind", [tuple, list])
def test_very_many_objects_are_not_taken_apart(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lazyarr.tracing.signature.MOST_ITEMS", 1000)

    def farthest(points: Any, weights: Any) -> Any:
        best = 0.0
        for x, y in points:
            best = max(best, x * x + y * y)
        points.append(kind((best, best)))
        for _ in range(200):
            weights += weights[0] * 1e-3
        return best, weights.sum()

    accelerated = lazyarr.accelerate(farthest)
    rng = np.random.default_rng(0)
    for count in (20, 2000, 2000, 30):
        points = [kind(p) for p in rng.random((count, 2)).tolist()]
        expected_points, weights = [*points], np.ones(50)
        expected = farthest(expected_points, weights.copy())
        assert_same(expected, accelerated(points, weights))
        assert points == expected_points and type(points[-1]) is kind
    whys = [call.what for call in lazyarr.report()]
    assert any("very many Python objects" in why for why in whys), whys


def test_of_what_is_to_be_compiled_all_is_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lazyarr.tracing.signature.MOST_ITEMS", 50)

    def moved(points: Any, by: Any) -> Any:
        return [(x + by, y - by) for x, y in points]

    points, by = [(0.5 * i, 2.0) for i in range(10)], np.arange(3.0)
    accelerated = lazyarr.accelerate(strict=True)(moved)
    for _ in range(3):
        assert_same(moved(points, by), accelerated(points, by))
    assert programs(accelerated) == 1


def test_what_is_known_at_a_glance_is_counted() -> None:
    def generator(x: Any) -> Any:
        yield x + 1

    accelerated = lazyarr.accelerate(generator)
    with settings(fallback="allow"):
        for _ in range(5):
            np.testing.assert_array_equal(next(accelerated(np.ones(2))), [2.0, 2.0])
        counts = [call.times for call in lazyarr.report()]
    assert counts == [5]
    with settings(fallback="error"), pytest.raises(lazyarr.FallbackError):
        accelerated(np.ones(2))


def test_a_call_that_takes_long_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from lazyarr.tracing.breakeven import Glances

    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    missing = object()

    def run(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        x, *seconds = (*args, *kwargs.values())
        now[0] += seconds[0]
        return x

    glances = Glances(run)
    x = np.ones(3)
    assert glances.run((x, 0.0), {}, missing) is missing
    glances.add((x, 0.0), {}, 1e-3, None)
    assert glances.run((x, 9e-3), {}, missing) is x
    assert glances.run((np.ones(4), 0.0), {}, missing) is missing
    assert glances.run((x,), {"seconds": 0.0}, missing) is missing
    assert glances.run((x, 11e-3), {}, missing) is x
    assert glances.run((x, 0.0), {}, missing) is missing


def test_very_many_shapes_are_not_interpreted_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lazyarr.tracing.newcomers._FEW", 10**9)

    def triangle(a: Any) -> Any:
        for i in range(1, a.shape[0]):
            a[i, :i] += 0.5 * a[i - 1, :i]
        return a.sum()

    accelerated: Any = lazyarr.accelerate(triangle)
    for n in range(5, 50):
        assert accelerated(np.ones((n, n))) == triangle(np.ones((n, n)))
    (found,) = lazyarr.report().faster
    assert found.what.endswith("triangle: shapes that come once, of many")
    before = programs(accelerated)
    assert accelerated(np.ones((48, 48))) == triangle(np.ones((48, 48)))
    assert programs(accelerated) == before + 1, "what comes again is compiled"


def test_lengths_that_data_decides() -> None:
    def groups(x: Any, y: Any) -> Any:
        return np.array([x[y == c].mean(axis=0) for c in range(3)])

    rng = np.random.default_rng(0)
    x, y = rng.random((60, 4)), rng.integers(0, 3, 60)
    calls(groups, lambda: (x, y), 4)
    accelerated: Any = lazyarr.accelerate(groups)
    for _ in range(3):
        np.testing.assert_allclose(accelerated(np.ones((6000, 40)), np.arange(6000) % 3), np.ones((3, 40)))


def walk(stream: Any, n: int) -> Any:
    """What draws in each iteration, and lets data decide."""
    spins = stream.choice([-1.0, 1.0], size=(6, 6))
    accepted = 0
    for _ in range(n):
        i, j = int(stream.random() * 6), int(stream.random() * 6)
        change = spins[i, j] * (spins[i - 1, j] + spins[i, j - 1])
        if change <= 0 or stream.random() < 0.3:
            spins[i, j] = -spins[i, j]
            accepted += 1
    return spins, accepted


@pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")
@pytest.mark.parametrize("kind", [np.random.default_rng, np.random.RandomState])
def test_a_call_that_begins_again_draws_the_same_numbers(kind: Any) -> None:
    def seeded(seed: int, n: int) -> Any:
        return walk(kind(seed), n)

    given, own, accelerated, made = kind(5), kind(5), lazyarr.accelerate(walk), lazyarr.accelerate(seeded)
    for n in (70, 200, 200, 90):
        for expected, got in ((walk(given, n), accelerated(own, n)), (seeded(n, n), made(n, n))):
            np.testing.assert_array_equal(expected[0], got[0])
            assert expected[1] == got[1]
        assert given.random() == own.random()
    begin = time.perf_counter()
    accelerated(own, 2000)
    assert time.perf_counter() - begin < 2.0  # in pieces it takes half a minute


@pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")
def test_numpys_own_stream_is_where_it_was_when_a_call_begins_again() -> None:
    def function(x: Any) -> Any:
        for _ in range(80):
            x = x + np.random.normal(size=3) * np.random.randint(1, 5)
            if x[0] > 2:
                x = x - 1.5
        return x

    accelerated: Any = lazyarr.accelerate(function)
    for seed in (1, 2, 3):
        np.random.seed(seed)
        expected, after = function(np.ones(3)), np.random.random()
        np.random.seed(seed)
        np.testing.assert_array_equal(expected, accelerated(np.ones(3)))
        assert np.random.random() == after


@pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")
def test_a_stream_is_an_instance_of_numpys_class() -> None:
    def function(x: Any, stream: Any) -> Any:
        if isinstance(stream, np.random.Generator):
            return x + stream.random()
        return x - (default_rng(stream) if not isinstance(stream, np.random.RandomState) else stream).random()

    default_rng = np.random.default_rng
    for make in (np.random.default_rng, np.random.RandomState, int):
        for _ in range(2):
            expected = function(np.ones(3), make(4))
            np.testing.assert_array_equal(expected, lazyarr.accelerate(function)(np.ones(3), make(4)))


@pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")
def test_a_long_loop_on_numbers_of_an_object_is_plain_python() -> None:
    class Body:
        def __init__(self) -> None:
            self.x, self.v = 1.0, 0.0

        def move(self, dt: float) -> None:
            self.v -= dt * self.x
            self.x += dt * self.v
            self.seen = {"x": self.x}

    def swing(dt: float, n: int) -> Any:
        body = Body()
        for _ in range(n):
            body.move(dt)
        return body.x, np.array([body.v])

    accelerated: Any = lazyarr.accelerate(swing)
    for n in (10, 1000, 1000):
        assert_same(swing(0.01, n), accelerated(0.01, n))
    assert "a long loop" in next(iter(accelerated._plain.values()))


def unrolled(x: Any) -> Any:
    total = 0.0
    for shift in [1, 2, 3, 5, 7] * 150:
        total += np.sort(x)[shift] * np.cumsum(x)[-shift]
        x = np.roll(x, shift) * 0.99
    return total, x


def test_long_compilations_wait_until_calls_have_taken_some_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lazyarr.tracing.trace._LONGEST_WRITTEN_OUT", math.inf)
    accelerated = calls(unrolled, lambda: (np.arange(8.0),), 4)
    assert programs(accelerated) == 0
    (found,) = lazyarr.report().faster
    assert found.what == "unrolled: compiling takes long, and begins when calls have taken a tenth of that"
    left = accelerated._even._postponed
    assert len(left) == 1
    left.update(dict.fromkeys(left, 1e-9))
    for _ in range(2):
        assert_same(unrolled(np.arange(8.0)), accelerated(np.arange(8.0)))
    assert programs(accelerated) == 1


def test_functions_are_told_by_their_code_at_a_look() -> None:
    from lazyarr.tracing.newcomers import look_at

    def add(k: Any) -> Any:
        return lambda x: x + k

    looks = [look_at((f, np.ones(3)), {}) for f in (add(1), add(2), little)]
    assert looks[0] == looks[1] != looks[2]
    assert [elements for _, elements in looks] == [3, 3, 3]
    assert look_at(([1.0],), {}) == (None, 0)
    applied: Any = lazyarr.accelerate(lambda f, x: f(x) * 2 - x[0])
    for n in range(3, 30):
        for f in (add(n), add(n / 2), lambda x: x[::-1]):
            assert_same(f(np.arange(n)) * 2 - 0, applied(f, np.arange(n)))
    assert applied._even.newcomers.serve


def filtered(xs: Any) -> Any:
    """Steps on small matrices, written out: each is compiled, equal or not."""
    P, m = np.eye(4), np.zeros(4)
    for x in list(xs):
        P = P @ P.T + 0.1 * np.eye(4)
        K = P @ np.linalg.inv(P + np.eye(4))
        m = m + K @ (x - m)
        P = (np.eye(4) - K) @ P
    return m, P


def test_equal_work_that_is_written_out_often_takes_long_to_compile() -> None:
    accelerated = calls(filtered, lambda: (np.ones((150, 4)),), 3)
    assert programs(accelerated) == 0
    (found,) = lazyarr.report().faster
    assert found.what.endswith(POSTPONED)


def windows_of(x: Any) -> Iterator[Any]:
    for i in range(12):
        yield x[i : i + 3], i


def written_out(x: Any) -> Any:
    """A loop over what a generator gives, with a loop in it that is captured."""
    out = np.zeros(12)
    for part, i in windows_of(x):
        for k in range(10):
            out[i] += part[k % 3] * k
    return out


@pytest.mark.parametrize(("patience", "found"), [(1e-3, 0), (10.0, 1)])
def test_many_short_loops_that_take_long_to_compile_wait(
    monkeypatch: pytest.MonkeyPatch, patience: float, found: int
) -> None:
    monkeypatch.setattr("lazyarr.tracing.breakeven._FEW_NODES", 0)
    monkeypatch.setattr("lazyarr.tracing.breakeven._PATIENCE", patience)
    accelerated = calls(written_out, lambda: (np.arange(16.0),), 2)
    assert programs(accelerated) == found
    left = accelerated._even._postponed
    assert len(left) == 1 - found
    left.update(dict.fromkeys(left, 1e-9))
    for _ in range(2):
        assert_same(written_out(np.arange(16.0)), accelerated(np.arange(16.0)))
    assert programs(accelerated) == 1


@pytest.mark.parametrize("count", [lambda x: int(x[0]), lambda x: 10**7])
def test_few_loops_that_may_be_long_are_compiled_at_once(monkeypatch: pytest.MonkeyPatch, count: Any) -> None:
    monkeypatch.setattr("lazyarr.tracing.breakeven._FEW_NODES", 0)
    monkeypatch.setattr("lazyarr.tracing.breakeven._PATIENCE", 1e-3)

    def added(x: Any) -> Any:
        total = 0.0
        for k in range(count(x)):
            total += x[k % 4]
        return total

    accelerated: Any = lazyarr.accelerate(added)
    accelerated(np.arange(4.0) + 5.0)
    assert programs(accelerated) == 1


def transforms(x: Any) -> Any:
    v = np.fft.fft(x)
    for k in range(40):
        a = np.fft.ifft(v).real ** 2
        v = v * 0.9 + 0.01 * np.fft.fft(a) + k
    return v


def test_programs_of_which_loops_call_numpy_are_tried() -> None:
    accelerated = calls(transforms, lambda: (np.arange(16.0),), 3)
    (key,) = accelerated._known
    assert key in accelerated._even._trials


def test_trials_end_where_one_way_is_far_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    from lazyarr.tracing.trials import Trials

    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    trials = Trials(3)
    trials.ours(lambda: now.__setitem__(0, now[0] + 1.0))
    assert trials.plain_is_next
    assert not trials.over
    trials.plain(lambda: now.__setitem__(0, now[0] + 5.0))
    assert (trials.over, trials.plain_is_next, trials.plain_wins) == (True, False, False)


class Remembers:
    """An object with a list that is longer at each call."""

    def __init__(self) -> None:
        self.weights, self.losses = np.ones((3, 4)), [0.0] * 2000

    def step(self, x: Any) -> Any:
        self.weights = self.weights - 0.01 * x.T.dot(x.dot(self.weights))
        self.losses.append(np.sum(self.weights**2))
        return self.losses[-1]

    def noted(self, x: Any) -> Any:
        self.weights = self.weights - 0.01 * x.T.dot(x.dot(self.weights))
        self.losses.append(float(f"{np.sum(self.weights**2):.5f}"))
        for k in range(3):
            self.weights[k] *= 1.001
        return self.losses[-1]


@pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")
@pytest.mark.parametrize("function", [Remembers.step, Remembers.noted])
def test_lists_that_grow_with_each_call_are_not_looked_at_each_time(
    monkeypatch: pytest.MonkeyPatch, function: Any
) -> None:
    looks: list[int] = []
    describe = Accelerated._describe

    def counted(self: Accelerated, *given: Any) -> Any:
        looks.append(1)
        return describe(self, *given)

    monkeypatch.setattr(Accelerated, "_describe", counted)
    one, other = Remembers(), Remembers()
    accelerated: Any = lazyarr.accelerate(function)
    x = np.random.default_rng(0).random((5, 3))
    for k in range(1000):
        if k == 500:
            looks.clear()
        assert accelerated(one, x) == function(other, x)
    assert one.losses == other.losses
    assert len(looks) < 250


def test_calls_that_raise_are_not_traced_again(monkeypatch: pytest.MonkeyPatch) -> None:
    traces: list[int] = []
    traced = Accelerated.traced

    def counted(self: Accelerated, *given: Any) -> Any:
        traces.append(1)
        return traced(self, *given)

    def checked(x: Any, limit: float) -> Any:
        y = np.exp(x) + limit
        if y.shape[0] > 2 and limit in RAISING:
            raise ValueError(f"{limit}")
        return y * 2

    monkeypatch.setattr(Accelerated, "traced", counted)
    accelerated: Any = lazyarr.accelerate(checked)
    x = np.arange(3.0)
    for _ in range(20):
        with pytest.raises(ValueError, match=r"1\.5"):
            accelerated(x, 1.5)
    assert len(traces) <= 2
    RAISING.clear()
    try:
        for _ in range(4):
            assert_same(checked(x, 1.5), accelerated(x, 1.5))
        assert programs(accelerated)
    finally:
        RAISING.append(1.5)


RAISING = [1.5]
