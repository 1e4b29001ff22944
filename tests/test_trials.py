"""Calls that cannot be one program: in pieces or as plain Python, whichever is faster by the clock."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr.tracing.accelerated import Accelerated
from lazyarr.tracing.trials import Trials
from tests.acceleration import assert_same


def in_pieces(x: Any, seen: list[float]) -> Any:
    """Looks at data in the middle."""
    y = x * 2 + 1
    seen.append(float(y.sum()))
    y -= y.mean()
    print("sum", seen[-1])
    return y / y.max()


def clock(monkeypatch: pytest.MonkeyPatch, *seconds: float) -> None:
    """Timed calls take these seconds, one after the other."""
    times = itertools.accumulate(itertools.chain.from_iterable((1.0, s) for s in seconds))
    monkeypatch.setattr("lazyarr.tracing.trials.time", SimpleNamespace(perf_counter=lambda: next(times)))


def modes(accelerated: Any, calls: int) -> list[str]:
    """How the signature would be explained after each call, whose results are NumPy's."""
    found = []
    for k in range(calls):
        x = np.arange(5.0) + k
        own: list[float] = []
        theirs: list[float] = []
        np.testing.assert_array_equal(accelerated(x, own), in_pieces(x, theirs))
        assert own == theirs
        found.append(accelerated.explain(x, []).mode)
    return found


def test_plain_python_wins_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    accelerated: Any = lazyarr.accelerate(in_pieces)
    clock(monkeypatch, 3.0, 2.0, 4.0, 5.0)
    with pytest.warns(lazyarr.FallbackWarning, match=r"faster than in pieces \("):
        assert modes(accelerated, 7) == ["pieces"] * 5 + ["plain"] * 2


def test_pieces_win_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    accelerated: Any = lazyarr.accelerate(in_pieces)
    clock(monkeypatch, 3.0, 2.5, 1.0, 2.0)
    assert modes(accelerated, 8) == ["pieces"] * 8


def test_a_call_that_raises_is_timed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    accelerated: Any = lazyarr.accelerate(in_pieces)
    clock(monkeypatch, 3.0, 1.0, 4.0, 1.0)
    for _ in range(5):
        with pytest.raises(AttributeError):
            accelerated(np.arange(3.0), None)
    assert accelerated._plain or not accelerated._pieces


def with_longer_lists(accelerated: Any, seen: list[float], calls: int) -> list[float]:
    """Calls as `in_pieces` itself is called, each with a list that the one before has made longer: new signatures."""
    theirs, x = list(seen), np.arange(5.0)
    for _ in range(calls):
        np.testing.assert_array_equal(accelerated(x, seen), in_pieces(x, theirs))
        assert seen == theirs
    return seen


def test_signatures_that_come_once_are_tried_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lazyarr.tracing.accelerated._MOST_VARIANTS", 3)
    accelerated: Any = lazyarr.accelerate(in_pieces)
    with lazyarr.settings.settings(always=0):
        seen = with_longer_lists(accelerated, [], 3)
        assert len(accelerated._pieces) == 3
        clock(monkeypatch, 3.0, 1.0, 3.0, 1.0)
        with_longer_lists(accelerated, seen, 6)
    assert accelerated._losses.of_new.plain_wins
    assert len(accelerated._plain) == 1  # (What comes then is known at a glance.)


def test_signatures_that_come_once_are_tried_soon_where_they_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lazyarr.tracing.trials._SLOW", 0.0)
    accelerated: Any = lazyarr.accelerate(in_pieces)
    with lazyarr.settings.settings(always=0):
        seen = with_longer_lists(accelerated, [], 2)
        assert len(accelerated._pieces) == 2
        clock(monkeypatch, 0.0, 0.0)
        with_longer_lists(accelerated, seen, 4)
    assert len(accelerated._pieces) == 2
    assert accelerated._losses.of_slow.plain_wins


def keys_of(x: Any, seen: list[float]) -> Any:
    """Left to plain Python, with each length of the list."""
    total: dict[int, int] = {}
    for i in range(len(x)):
        total[int(x[i] * 10)] = total.get(int(x[i] * 10), 0) + 1
        if x[i] > 0.5 and i > 3:
            seen.append(float(x[i]))
    return total


def noted_calls(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> list[tuple[Any, ...]]:
    """The arguments of each call of a method of an object from now on."""
    found: list[tuple[Any, ...]] = []
    method = getattr(owner, name)

    def noted(*given: Any) -> Any:
        found.append(given)
        return method(*given)

    monkeypatch.setattr(owner, name, noted)
    return found


def test_many_signatures_that_are_left_to_python_are_not_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lazyarr.tracing.accelerated._MOST_VARIANTS", 3)
    accelerated: Any = lazyarr.accelerate(keys_of)
    traced = noted_calls(monkeypatch, accelerated, "_trace_first")
    seen: list[float] = []
    theirs: list[float] = []
    x = np.random.default_rng(0).random(40)
    with lazyarr.settings.settings(always=0):
        for _ in range(8):
            assert accelerated(x, seen) == keys_of(x, theirs)
    assert seen == theirs
    assert len(traced) < 8


def aligned(a: str, b: str, gap: int = -2) -> Any:
    """Smith and Waterman's scores: loops over texts are written out, with a branch on data for each pair of letters."""
    score, best = np.zeros((len(a) + 1, len(b) + 1), np.int32), (0, 0, 0)
    for i, x in enumerate(a, 1):
        for j, y in enumerate(b, 1):
            fits = score[i - 1, j - 1] + (2 if x == y else -1)
            score[i, j] = max(0, fits, score[i - 1, j] + gap, score[i, j - 1] + gap)
            if score[i, j] > best[0]:
                best = int(score[i, j]), i, j
    return score, best


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is traced, in turn."""
    found: list[Any] = []
    traced = Accelerated.traced

    def noted(self: Accelerated, *args: Any) -> Any:
        found.append(self)
        return traced(self, *args)

    monkeypatch.setattr(Accelerated, "traced", noted)
    return found


@pytest.mark.filterwarnings("ignore::lazyarr.FallbackWarning")
def test_texts_that_differ_at_each_call_are_not_traced_for_ever(
    monkeypatch: pytest.MonkeyPatch, traces: list[Any]
) -> None:
    monkeypatch.setattr("lazyarr.tracing.trace._LONGEST_WRITTEN_OUT", 0.0)
    monkeypatch.setattr("lazyarr.tracing.trials._WAITED", 1e6)
    accelerated: Any = lazyarr.accelerate(aligned)
    random = np.random.default_rng(0)
    with lazyarr.settings.settings(always=0):
        for _ in range(5):
            a, b = ("".join(random.choice(list("ACGT"), 9)) for _ in range(2))
            assert_same(aligned(a, b), accelerated(a, b))
    assert traces.count(accelerated) <= 2
    assert all(traces.count(loop) <= 3 for loop in traces)


def picked(x: Any, n: int, weights: tuple[int, ...]) -> Any:
    """What a number picks from a tuple is a constant of the program."""
    total = 0.0
    for name in "abc":
        total += x[weights[n]] * len(name) + weights[n]
    return total


@pytest.mark.filterwarnings("ignore::lazyarr.FallbackWarning")
@pytest.mark.parametrize(("waited", "most"), [(1e6, 3), (0.0, 8)])
def test_a_loop_of_which_each_value_makes_a_program_waits(
    monkeypatch: pytest.MonkeyPatch, traces: list[Any], waited: float, most: int
) -> None:
    monkeypatch.setattr("lazyarr.tracing.trials._WAITED", waited)
    loop = Accelerated(picked, is_loop=True)
    x, weights = np.arange(50.0), tuple(range(40))
    with lazyarr.settings.settings(always=0):
        for n in range(8):
            assert_same(picked(x, n, weights), loop(x, n, weights))
    assert traces.count(loop) == most


def through_memory(x: Any) -> Any:
    """Python can do what cannot be traced: a lazy array has no memory to look at."""
    y = x * 2
    memory: Any = memoryview(y)
    memory[0] = 5.0
    return y


@pytest.mark.filterwarnings("ignore::lazyarr.FallbackWarning")
def test_what_raises_where_it_is_traced_alone_is_not_traced_for_ever(traces: list[Any]) -> None:
    accelerated: Any = lazyarr.accelerate(through_memory)
    for _ in range(14):
        assert_same(through_memory(np.arange(3.0)), accelerated(np.arange(3.0)))
    assert traces.count(accelerated) == 9
    with pytest.raises(IndexError):
        accelerated(np.zeros(0))


def correlated(images: list[Any], filters: list[Any]) -> Any:
    """Lists of lists of Python's numbers: no loop becomes a program."""
    found = [[0.0 for _ in filters] for _ in images]
    for i in range(len(images)):
        for r in range(len(images[0])):
            for c in range(len(images[0][0])):
                for f in range(len(filters)):
                    found[i][f] += images[i][r][c] * filters[f][r][c]
    return found


@pytest.mark.filterwarnings("ignore::lazyarr.FallbackWarning")
@pytest.mark.parametrize("lost", [0.0, 1e6])
def test_loops_within_loops_that_are_traced_in_vain_wait(
    monkeypatch: pytest.MonkeyPatch, traces: list[Any], lost: float
) -> None:
    monkeypatch.setattr("lazyarr.tracing.trace._LONGEST_WRITTEN_OUT", 0.0)
    monkeypatch.setattr("lazyarr.tracing.trace._LONGEST_LEFT_OUT", 0.0)
    monkeypatch.setattr("lazyarr.tracing.trials._LOST_TRACING", lost)
    random = np.random.default_rng(0)
    images, filters = random.random((12, 12, 12)).tolist(), random.random((12, 12, 12)).tolist()
    accelerated: Any = lazyarr.accelerate(correlated)
    with lazyarr.settings.settings(always=0):
        assert_same(correlated(images, filters), accelerated(images, filters))
    assert (len(set(map(id, traces))) == 1) is (lost == 0.0)


@pytest.mark.filterwarnings("ignore::lazyarr.FallbackWarning")
def test_long_lists_are_not_looked_at_in_each_call_that_python_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lazyarr.tracing.trials._WAITED", 1e6)
    loop = Accelerated(picked, is_loop=True)
    x, weights = np.arange(50.0), tuple(range(4000))
    looked = noted_calls(monkeypatch, loop, "_describe")
    with lazyarr.settings.settings(always=0):
        for n in range(40):
            assert_same(picked(x, n, weights), loop(x, n, weights))
    assert len(looked) < 30


def test_calls_are_known_at_a_glance_for_as_long_as_that_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    from lazyarr.tracing.breakeven import Glances

    now, missing = [0.0], object()
    monkeypatch.setattr("time.perf_counter", lambda: now[0])

    def run(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        now[0] += args[0]
        return args[0]

    for looked, calls in ((0.5e-3, 0), (2e-3, 8), (4.5e-3, 18)):
        glances = Glances(run)
        assert glances.spare(lambda: run((1e-3,), {}), looked, (1e-3,), {}) == 1e-3
        assert sum(glances.run((1e-3,), {}, missing) is not missing for _ in range(30)) == pytest.approx(calls, abs=1)


def escapes(xs: list[float], most: int) -> list[int]:
    """A short loop in a function that a comprehension calls: written out for each item."""

    def steps(z: complex) -> int:
        c = z
        for n in range(most):
            if abs(z) > 2.0:
                return n
            z = z * z + c
        return most

    return [steps(complex(x, y)) for x in xs for y in xs]


@pytest.mark.filterwarnings("ignore::lazyarr.FallbackWarning")
@pytest.mark.parametrize(("calls", "plain"), [(0, True), (10**9, False)])
def test_a_short_loop_that_is_written_out_very_often(monkeypatch: pytest.MonkeyPatch, calls: int, plain: bool) -> None:
    monkeypatch.setattr("lazyarr.tracing.trace._LONGEST_SMALL", 0.0)
    monkeypatch.setattr("lazyarr.tracing.trace._CALLS_WRITTEN_OUT", calls)
    accelerated: Any = lazyarr.accelerate(escapes)
    xs = [0.3 * k - 1.0 for k in range(6)]
    with lazyarr.settings.settings(always=0):
        for most in (20, 20, 25):
            assert escapes(xs, most) == accelerated(xs, most)
    assert bool(accelerated._plain) is plain
    assert bool(accelerated._known) is not plain
    always: Any = lazyarr.accelerate(escapes, strict=True)
    assert escapes(xs, 20) == always(xs, 20)


def voted(marks: Any, count: int) -> Any:
    """Loops of which data decides the shapes: neither the call nor its loop is a program."""
    votes, rows = np.zeros((count, 40)), np.nonzero(marks)[0]
    for k in range(40):
        found, counts = np.unique((rows * k) % count, return_counts=True)
        votes[found, k] = counts
    return votes


@pytest.mark.filterwarnings("ignore::lazyarr.FallbackWarning")
def test_plain_python_is_timed_when_its_loops_have_been_tried() -> None:
    accelerated: Any = lazyarr.accelerate(voted)
    marks = np.arange(60_000) % 3 == 0
    with lazyarr.settings.settings(always=0):
        for _ in range(24):
            assert_same(voted(marks, 600), accelerated(marks, 600))
    # (Which way was faster is the machine's; on a busy one it is known after the first trace already.)
    around = accelerated._around
    assert accelerated._plain or any(trials._plain for trials in around._trials.values())


def test_calls_that_are_not_sure_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lazyarr.tracing.trials._UNSURE", 3)
    trials = Trials()
    trials.took(1.0)
    for count in range(3):
        assert trials.plain(lambda: 7, lambda: True) == 7
        assert (len(trials._plain), trials._unsure) == (0, count + 1)
    trials.plain(lambda: 7, lambda: True)
    assert len(trials._plain) == 1
    trials.plain(lambda: 7, lambda: False)
    assert (trials.done, trials.plain_wins) == (True, True)
