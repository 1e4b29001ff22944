"""`f.explain(*args)`: what it says is so, and asking changes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr.report import calls
from lazyarr.tracing.advice import advice
from lazyarr.tracing.explain import Explanation
from lazyarr.tracing.explain_text import show_bytes, show_count, show_sources, table

Array = np.ndarray[Any, Any]
LARGE = 300_000

counter = 0
history: list[float] = []


def step(u: Array, dt: float) -> Any:
    """One program: a stencil and a sum."""
    u[1:-1] += dt * (u[2:] - 2 * u[1:-1] + u[:-2])
    return u.sum()


def halve(u: Array, largest: float) -> list[Any]:
    """Pieces: a list of dicts that grows as long as the data says."""
    sums: list[Any] = []
    while np.abs(u).max() > largest:
        u *= 0.5
        sums.append({"sum": u.sum()})
    return sums


def explain(function: Any, *args: Any, **kwargs: Any) -> Explanation:
    found = lazyarr.accelerate(function).explain(*args, **kwargs)
    assert isinstance(found, Explanation)
    return found


def line(function: Any, offset: int) -> tuple[str, int]:
    code = function.__code__
    return code.co_filename, code.co_firstlineno + offset


@pytest.mark.parametrize("compiler", ["native", "xla"])
def test_one_program(compiler: str) -> None:
    u = np.random.default_rng(0).random(LARGE)
    before = u.copy()
    with lazyarr.settings.settings(compiler=compiler):
        found = explain(step, u, 0.1)
    assert found.mode == "one program"
    assert found.reasons == () and found.fallbacks == () and found.checks == ()
    (region,) = found.regions
    assert region.backend == compiler
    # u comes in with the scalar, u and the sum go out; nothing else is an array of that length.
    assert region.bytes_in == u.nbytes + 8
    assert region.bytes_out == u.nbytes + 8
    assert set(region.lines) == {line(step, 2), line(step, 3)}
    # A multiplication by two, one by dt, three additions or subtractions, and the sum.
    assert 6 * (LARGE - 2) <= region.flops <= 7 * LARGE
    assert found.flops == region.flops
    assert found.bytes_after == region.bytes_in + region.bytes_out + region.bytes_kept
    assert found.bytes_before > 5 * found.bytes_after
    assert 0 < found.operations_after <= found.operations_before
    assert u.nbytes <= found.peak_after <= found.peak_before
    assert found.executables == (compiler == "xla")
    assert u.tobytes() == before.tobytes()


def test_the_report_says_it() -> None:
    with lazyarr.settings.settings(compiler="xla"):
        text = str(explain(step, np.zeros(LARGE), 0.1))
    assert text.splitlines()[0] == "step: one program"
    assert "as written" in text and "optimized" in text
    assert "1 region, 1 XLA executable" in text
    assert show_sources([line(step, 2), line(step, 3)]) in text
    assert "2.40 MB" in text
    assert max(map(len, text.splitlines())) <= 120


def test_pieces_say_why_and_where() -> None:
    u = np.linspace(0, 1, 20_000)
    found = explain(halve, u, 0.1)
    assert found.mode == "pieces"
    assert u[-1] == 1.0
    (reason,) = found.reasons
    assert (reason.file, reason.line) == line(halve, 3)
    assert reason.times == 5
    assert reason.where.endswith(f"test_explain.py:{reason.line}")
    assert sorted(piece.times for piece in found.pieces)[-1] >= 3
    assert found.operations_after == sum(p.times * sum(r.operations for r in p.regions) for p in found.pieces)
    assert found.synchronizations >= 5
    [loop] = found.statements
    assert (loop.kind, loop.how, loop.line) == ("while", "python", reason.line) and "changes a list" in loop.why
    assert "in pieces" in str(found) and reason.why in str(found)


def test_long_loops_over_small_arrays_are_left_to_python() -> None:
    found = explain(halve, np.linspace(0, 1, 50), 0.1)
    assert found.mode == "plain"
    [reason] = found.reasons
    assert "changes a list" in reason.why and (reason.file, reason.line) == line(halve, 3)
    assert "out[i] = ..." in reason.advice


def test_plain_functions_say_why() -> None:
    found = explain(step, np.ma.masked_array([1.0, 2.0, 3.0]), 0.1)
    assert found.mode == "plain"
    assert found.pieces == () and found.regions == ()
    assert "MaskedArray" in found.reasons[0].why
    assert (found.reasons[0].file, found.reasons[0].line) == line(step, 0)
    assert "MaskedArray" in str(found)

    def generate(n: int) -> Iterator[int]:
        yield n

    assert explain(generate, 3).mode == "plain"
    # What has no Python code of its own is called by a function that has.
    assert explain(len, [1]).mode == "one program"


def sorted_sum(u: Array) -> Any:
    """Two back ends."""
    return (np.sort(u * 2) + 1).sum()


def test_regions_of_two_back_ends() -> None:
    with lazyarr.settings.settings(compiler="xla"):
        found = explain(sorted_sum, np.random.default_rng(0).random(LARGE))
    assert found.mode == "one program"
    assert "numpy" in {r.backend for r in found.regions}
    assert sum(r.operations for r in found.regions) == found.operations_after


def pick(u: Array, at: Array) -> Any:
    return u[at]


def test_checks() -> None:
    found = explain(pick, np.zeros(1000), np.array([1, 2]))
    assert any(check.startswith("IndexError") for check in found.checks)
    # Only what is picked is read.
    assert found.regions[0].bytes_in < 100
    *_, title, row = str(found).splitlines()
    assert title == "errors NumPy could raise here, tested at each call (tests, not failures)"
    file, number = line(pick, 1)
    assert row.split("  ") == ["", f"{os.path.basename(file)}:{number}",
                               "IndexError: index is out of bounds for axis 0 with size 1000"]  # fmt: skip


def test_errors_of_one_kind_take_one_line() -> None:
    def picks(u: Array, v: Array, at: Array) -> Any:
        a = u[at] + v[at]
        return a + u[0, at][:, None]

    found = explain(picks, np.zeros((20, 20)), np.zeros((30, 20)), np.array([1, 2]))
    assert len(set(found.checks)) >= 2
    rows = [row for row in str(found).splitlines() if "IndexError" in row]
    file, number = line(picks, 1)
    (row,) = rows
    assert row.strip() == (f"{os.path.basename(file)}:{number}-{number + 1}  "
                           "IndexError: index is out of bounds for axis N with size N")  # fmt: skip


def test_what_a_mask_assignment_tests() -> None:
    def fill(u: Array, mask: Array, values: Array) -> None:
        u[mask] = values

    found = explain(fill, np.zeros(5), np.arange(5) > 2, np.ones(2))
    assert found.checks == ("ValueError: NumPy boolean array indexing assignment cannot assign 2 input values to the "
                            "output values where the mask is true",)  # fmt: skip
    with pytest.raises(ValueError, match="2 input values to the 3 output values where"):
        lazyarr.accelerate(fill)(np.zeros(5), np.arange(5) > 1, np.ones(2))


def test_reasons_say_what_to_do() -> None:
    def draw(u: Array) -> Array:
        return u + np.random.gamma(2.0, size=3)

    def select(u: Array) -> Any:
        return str(u[u > 0.5])

    for function, said in (
        (draw, "draw the numbers outside, and pass the array"),
        (select, "print what the function returns"),
    ):
        found = explain(function, np.ones(3))
        assert found.mode == "pieces", function
        assert any(said in r.advice for r in found.reasons), (function, found.reasons)
        after = str(found).split("not one program, because")[1]
        assert f"  -> {found.reasons[0].advice}" in after
    found = explain(halve, np.linspace(0, 1, 20_000), 0.1)
    assert str(found).count("-> the branch runs in Python") == 1
    with lazyarr.settings.settings(unroll_limit=30, flush_after=10):
        found, small = explain(many, np.ones(20_000), 60), explain(many, np.ones(3), 60)
    assert found.mode == "pieces"
    assert small.mode == "plain"
    assert "arrays of less than 10000 elements" in small.reasons[0].why
    assert any("unroll_limit=..." in r.advice for r in found.reasons), found.reasons
    assert advice("a NumPy array that is neither an argument nor a variable") == "pass it as an argument"
    assert advice("no words of the table") == ""


def many(u: Array, times: int) -> Array:
    for _ in [None] * times:
        u = np.sin(u) * 2
    return u


def test_columns_are_explained() -> None:
    with lazyarr.settings.settings(compiler="xla"):
        text = str(explain(sorted_sum, np.random.default_rng(0).random(LARGE)))
    assert "inside: bytes of values that are stored and read back within the region" in text
    assert "numpy: where sort is best done (its first back end)" in text
    assert "numpy:" not in str(explain(step, np.zeros(LARGE), 0.1))
    assert max(map(len, text.splitlines())) <= 120


def test_fallbacks_are_said_but_not_counted_and_not_warned_of() -> None:
    def call(u: Array) -> Any:
        return np.vectorize(abs)(u)

    before = calls.copy()
    with lazyarr.settings.settings(fallback="error"):
        found = explain(call, np.arange(5.0))
        assert lazyarr.settings.current.fallback == "error"
    assert calls == before
    (fallback,) = found.fallbacks
    assert "vectorize" in fallback.what and fallback.times == 1
    assert (fallback.file, fallback.line) == line(call, 1)
    assert "run in NumPy" in str(found)


def test_nothing_the_caller_owns_changes() -> None:
    class Box:
        def __init__(self) -> None:
            self.values = [1.0]
            self.array = np.zeros(3)

    def touch(box: Box, table: dict[str, Any], items: list[Any], odd: set[int]) -> Any:
        global counter
        counter += 1
        history.append(1.0)
        box.array += 1
        box.values.append(2.0)
        table["new"] = box.array.sum()
        items[0] += 1
        odd.add(5)
        return np.random.random(3) + box.array

    box, table, items, odd = Box(), {"a": 1}, [np.zeros(2)], {1}
    array = items[0]
    state = np.random.get_state()[1].copy()  # type: ignore[index]
    explain(touch, box, table, items, odd)
    assert counter == 0 and box.values == [1.0] and table == {"a": 1} and odd == {1}
    assert not box.array.any() and items[0] is array and not array.any()
    assert (np.random.get_state()[1] == state).all()  # type: ignore[index]


def test_arguments_that_share_memory_still_do() -> None:
    def shift(a: Array, b: Array) -> None:
        a[...] = b + 1

    memory = np.arange(10.0)
    found = explain(shift, memory[1:], memory[:-1])
    assert found.mode == "one program"
    assert (memory == np.arange(10.0)).all()


def test_what_cannot_be_copied_is_not_run() -> None:
    def consume(numbers: Iterator[int]) -> int:
        return next(numbers)

    numbers = (n for n in range(3))
    found = explain(consume, numbers)
    assert found.mode == "plain" and "generator" in found.reasons[0].why
    assert next(numbers) == 0


def test_what_the_function_raises_is_raised() -> None:
    def wrong(u: Array) -> Any:
        return u + np.zeros(u.shape[0] + 1)

    with pytest.raises(ValueError, match="broadcast"):
        explain(wrong, np.zeros(3))


def test_a_function_that_was_called_before_says_the_same() -> None:
    accelerated: Any = lazyarr.accelerate(halve)
    fresh = str(accelerated.explain(np.linspace(0, 1, 20_000), 0.1))
    accelerated(np.linspace(0, 1, 20_000), 0.1)
    assert str(accelerated.explain(np.linspace(0, 1, 20_000), 0.1)) == fresh


def test_a_compiled_program_is_explained_as_a_fresh_one() -> None:
    def shift(u: Array, by: float) -> Any:
        u += by
        return u.sum() * np.sort(u)

    u = np.random.default_rng(0).random(1000)
    fresh = str(explain(shift, u, 0.5))
    accelerated: Any = lazyarr.accelerate(shift)
    accelerated(u.copy(), 0.5)
    kept = u.copy()
    found = accelerated.explain(u, 0.25)
    assert str(found) == fresh and found.mode == "one program"
    assert (u == kept).all()
    # Another type is another program.
    assert accelerated.explain(u.astype("f4"), 0.25).bytes_before < found.bytes_before


def test_compiled_programs_are_described_without_running_the_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    accelerated: Any = lazyarr.accelerate(step)
    accelerated(np.zeros(1234), 0.1)

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("explained anew")

    monkeypatch.setattr("lazyarr.tracing.explain.run_pipeline", refuse)
    monkeypatch.setattr("lazyarr.tracing.accelerated.Accelerated._traced", refuse)
    assert accelerated.explain(np.zeros(1234), 0.2).mode == "one program"
    with pytest.raises(AssertionError, match="explained anew"):
        accelerated.explain(np.zeros(1235), 0.2)


def test_equal_programs_of_other_lines_keep_their_lines() -> None:
    def one(u: Array) -> Any:
        return np.sin(u) * 3.25

    def other(u: Array) -> Any:
        return np.sin(u) * 3.25

    first, second = lazyarr.accelerate(one), lazyarr.accelerate(other)
    u = np.zeros(77)
    first(u), second(u)
    for function, explained in ((one, first.explain(u)), (other, second.explain(u))):  # type: ignore[attr-defined]
        assert {at for region in explained.regions for at in region.lines} == {line(function, 1)}


def test_a_long_loop_that_was_called_before() -> None:
    accelerated: Any = lazyarr.accelerate(many)
    u = np.ones(20_000)
    with lazyarr.settings.settings(unroll_limit=30, flush_after=10):
        for _ in range(3):
            accelerated(u, 60)
        found = accelerated.explain(u, 60)
    assert found.mode == "pieces"
    (reason,) = found.reasons
    assert "a long Python loop" in reason.why and (reason.file, reason.line) == line(many, 2)
    # As calls run now: pieces of about `flush_after` from the start on.
    assert all(len(piece.before.graph.nodes) <= 40 for piece in found.pieces)
    assert sum(piece.times for piece in found.pieces) >= 5


def test_explain_takes_the_arguments_of_a_call() -> None:
    for args, kwargs, said in (
        ((), {}, "step.explain takes the arguments of a call of step: missing a required argument: 'u'"),
        ((1, 2, 3), {}, "too many positional arguments"),
        ((1, 2), {"v": 3}, "unexpected keyword argument 'v'"),
    ):
        with pytest.raises(TypeError, match=said):
            explain(step, *args, **kwargs)


def test_equal_regions_take_one_line() -> None:
    def sweeps(u: Array) -> Array:
        for _ in [None] * 60:
            u = u.copy()
            u[1:-1] += 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2])
        return u

    found = explain(sweeps, np.zeros(10))
    table = [row for row in str(found).splitlines() if " xla " in row or " numpy " in row]
    assert len(table) <= 4


def test_no_array_work() -> None:
    def scalars(a: int, b: int) -> int:
        return a + b

    found = explain(scalars, 1, 2)
    assert found.regions == () or found.operations_after == 0
    assert str(found)


def test_html_is_escaped() -> None:
    def compare(u: Array) -> bool:
        return bool((u < 1).all())

    html = explain(compare, np.zeros(3))._repr_html_()
    assert html.startswith("<pre>") and "<locals>" not in html


def statements(x: Array, limit: float) -> Any:
    """One of each."""
    for k in range(3):
        x[k] += 1
    for scale in [0.5, 2.0]:
        x *= scale
    for i in range(1, x.shape[0]):
        if x[i] > 2 and i % 2:
            x[i] -= x[i - 1]
    n = 0
    while np.abs(x).max() > limit:
        x *= 0.5
        n += 1
    return n


def test_loops_and_branches_are_listed() -> None:
    accelerated: Any = lazyarr.accelerate(statements)
    x = np.linspace(0, 5, 9)
    fresh = accelerated.explain(x, 0.1)
    accelerated(x.copy(), 0.1)
    for found in (fresh, accelerated.explain(x, 0.1)):
        assert found.mode == "one program" and found.synchronizations == 0
        assert [(s.kind, s.how, s.trips) for s in found.statements] == [
            ("for", "unrolled", 3), ("for", "unrolled", None), ("for", "compiled", 8), ("if", "compiled", None),
            ("while", "compiled", None),
        ]  # fmt: skip
        assert [(s.file, s.line) for s in found.statements] == [line(statements, k) for k in (2, 4, 6, 7, 10)]
        (region,) = found.regions
        assert region.backend == "native" and region.looped and region.once
        # The body of the `while` is counted, and its lines are the region's.
        assert {line(statements, k) for k in (3, 5, 8, 11)} <= set(region.lines)
        text = str(found)
        assert "host synchronizations: 0" in text
        assert "for    compiled, runs in native, 8 iterations" in text
        assert "for    unrolled, 3 iterations: few iterations" in text
        assert "while  compiled, runs in native" in text
        assert "one iteration is counted" in text
        assert max(map(len, text.splitlines())) <= 120
        html = found._repr_html_()
        assert "while  compiled" in html


def test_figures_of_loops() -> None:
    def lu(a: Array) -> None:
        for i in range(a.shape[0]):
            for j in range(i):
                a[i, j] -= a[i, :j] @ a[:j, j]
                a[i, j] /= a[j, j]
            for j in range(i, a.shape[0]):
                a[i, j] -= a[i, :i] @ a[:i, j]

    for n in (40, 200):
        found = explain(lu, np.eye(n))
        assert 0.9 < found.flops / (2 / 3 * n**3) < 1.25
        assert not found.regions[0].once
        assert found.regions[0].bytes_in == found.regions[0].bytes_out == 8 * n * n
        # Two rows or columns of i or j elements for each of the elements, and the element itself; but in the second
        # loop the row is read once for all columns.
        assert 0.75 < found.regions[0].bytes_kept / (2 * 8 * n**3 / 3) < 1.4

    def sweeps(u: Array, times: int) -> None:
        for _ in range(times):
            u[1:-1] += 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2])

    found = explain(sweeps, np.zeros(10_000), 50)
    assert 0.95 < found.regions[0].bytes_kept / (50 * 2 * 80_000) < 1.05
    assert 0.95 < found.flops / (50 * 5 * 10_000) < 1.05

    def until(u: Array) -> None:
        while u[0] > 1:
            u *= 0.5

    assert found.flops < 10 * explain(until, np.zeros(10_000)).flops * 100
    assert explain(until, np.zeros(10_000)).regions[0].bytes_kept < 3 * 80_000


def test_guards_that_failed_are_counted() -> None:
    def pick(x: Array, at: Array) -> Any:
        total = 0.0
        for i in range(at.shape[0]):
            total += x[at[i]]
        return total

    accelerated: Any = lazyarr.accelerate(pick)
    x, good, bad = np.arange(9.0), np.arange(6), np.arange(6) * 2
    assert {g.failed for g in accelerated.explain(x, good).guards} == {0}
    assert accelerated(x, good) == 15
    for _ in range(3):
        with pytest.raises(IndexError, match="index 10 is out of bounds for axis 0 with size 9"):
            accelerated(x, bad)
    found = accelerated.explain(x, good)
    [guard] = [g for g in found.guards if g.failed]
    assert guard.failed == 3 and guard.lines == (line(pick, 3),) and "in range" in guard.what
    assert "failed 3x" in str(found) and found.checks == ()
    rows = [g for g in lazyarr.report().guards if (g.file, g.line) == line(pick, 3)]
    assert [g.times for g in rows] == [3]


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (999, "999"), (1000, "1.00 k"), (12_345, "12.3 k"), (999_499, "999 k"), (999_999, "1.00 M"),
     (9_994, "9.99 k"), (9_999, "10.0 k"), (10**19, "10.0 E")],
)  # fmt: skip
def test_show_count(count: int, text: str) -> None:
    assert show_count(count) == text
    assert show_bytes(count) == (f"{text} B" if count < 1000 else f"{text}B")


def test_show_sources() -> None:
    lines = [("/a/x.py", 3), ("/a/x.py", 4), ("/b/y.py", 1), ("/a/x.py", 9), ("/a/x.py", 5)]
    assert show_sources(lines) == "x.py:3-5,9, y.py:1"
    assert show_sources([]) == ""


def test_table() -> None:
    assert table([("a", "bb"), ("ccc", "d")], "<>") == ["a    bb", "ccc   d"]
    assert table([]) == []


def test_how_loops_are_done() -> None:
    def many(u: Any, a: Any, y: Any) -> Any:
        for _ in range(20):
            u[1:-1] += 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2])
        total = 0.0
        for i in range(a.shape[0]):
            total += a[i, i] * y[i]
        for i in range(1, 50):
            y[i] = y[i - 1] * 0.5 + y[i]
        while total > 1.0:
            total = total / 2
        return total

    arguments = np.ones(10_000), np.ones((60, 60)), np.ones(60)
    fast: Any = lazyarr.accelerate(many)
    found = fast.explain(*arguments)
    file, start = many.__code__.co_filename, many.__code__.co_firstlineno
    ways = {line - start: way for (name, line), way in found.loops.items() if name == file}
    assert ways == {
        1: "several iterations are one pass over memory",
        4: f"iterations follow one another: they add up floats, in NumPy's order (line {start + 5})",
        6: f"iterations follow one another: one may touch elements that another one writes (line {start + 7})",
        8: "iterations follow one another: data decides which is the last",
    }
    assert all(way in str(found) for way in ways.values())


def test_loops_that_threads_share_are_named() -> None:
    def rows(a: Any, y: Any) -> Any:
        out = np.zeros(a.shape[0])
        for i in range(a.shape[0]):
            t = 0.0
            for j in range(a.shape[1]):
                t += a[i, j] * y[j]
            out[i] = t
        return out

    with lazyarr.settings.settings(threads=2):
        fast: Any = lazyarr.accelerate(rows)
        found = fast.explain(np.ones((400, 400)), np.ones(400))
    assert found.loops[rows.__code__.co_filename, rows.__code__.co_firstlineno + 2] == "threads share the iterations"
    with lazyarr.settings.settings(threads=1):
        fast = lazyarr.accelerate(rows)
        found = fast.explain(np.ones((300, 400)), np.ones(400))
        assert found.loops[rows.__code__.co_filename, rows.__code__.co_firstlineno + 2] == "iterations are independent"


def test_operations_for_which_native_code_calls_numpy() -> None:
    def function(x: Any) -> Any:
        for i in range(x.shape[0]):
            x[i] = np.sort(np.convolve(x[i], x[0], "same"))
        return x.sum()

    accelerated: Any = lazyarr.accelerate(function)
    found = accelerated.explain(np.ones((5, 8)))
    assert [region.calls for region in found.regions] == [("correlate",)]
    assert "native: NumPy is called for correlate, with some microseconds more for each call" in str(found)
