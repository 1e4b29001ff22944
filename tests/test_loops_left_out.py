"""What stays in Python: NumPy's results all the same, the line and the reason are named, `strict=True` refuses it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr import StrictError, accelerate
from tests.acceleration import assert_same, programs
from tests.loop_checks import Array, noise, ramp, same


def line(function: Any, offset: int) -> tuple[str, int]:
    code = function.__code__
    return code.co_filename, code.co_firstlineno + offset


def refused(function: Any, *args: Any) -> StrictError:
    """What a strict function says; twice the same, and nothing has changed."""
    accelerated: Any = accelerate(function, strict=True)
    before = [x.copy() if hasattr(x, "copy") else x for x in args]
    said = []
    for _ in range(2):
        with pytest.raises(StrictError) as caught:
            accelerated(*args)
        said.append(str(caught.value))
        assert_same(before, list(args))
    assert said[0] == said[1]
    return caught.value


# -- what stays in Python ---------------------------------------------------------------------------------------


def test_printing_in_the_body(capsys: pytest.CaptureFixture[str]) -> None:
    def talk(x: Array, n: int) -> Any:
        for i in range(n):
            x[i] += 1
            if i == 6:
                print("at", i, x[i])
        return x

    same(talk, (noise(9), 9), one_program=False)
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 4 and len(set(printed)) == 1
    error = refused(talk, noise(9), 9)
    assert capsys.readouterr().out == ""
    assert (error.file, error.line) == line(talk, 4) and "print" in error.why
    accelerated: Any = accelerate(talk)
    found = accelerated.explain(noise(9), 9)
    assert any((r.file, r.line) == line(talk, 4) for r in found.reasons)


def test_a_list_that_grows() -> None:
    def collect(x: Array, limit: float) -> Any:
        found = []
        for i in range(x.shape[0]):
            if x[i] > limit:
                found.append([None, i])
        return found

    same(collect, (noise(9), 0.1), (noise(9), 5.0), one_program=False)
    error = refused(collect, noise(9), 0.1)
    assert (error.file, error.line) == line(collect, 3)
    assert "a branch on data" in error.why and "changes a list" in str(error)

    def history(x: Array, limit: float) -> Any:
        found = []
        while x.max() > limit:
            x *= 0.5
            found.append([x.sum(), None])
        return found

    same(history, (noise(9), 0.1), (noise(9), 5.0), one_program=False)


def test_a_list_that_grows_in_a_counted_loop_is_unrolled() -> None:
    def collect(x: Array, n: int) -> Any:
        found = []
        for i in range(n):
            found.append(x[i] * 2)
        return found, np.array(found)

    same(collect, (noise(9), 7), (noise(9), 2))


def test_dicts_and_objects_changed_in_the_body() -> None:
    class Box:
        def __init__(self) -> None:
            self.total = 0.0
            self.count = 0

    def fill(x: Array, table: dict[str, Any], box: Box) -> Any:
        for i in range(x.shape[0]):
            table["sum"] = table.get("sum", 0.0) + x[i]
            box.total += x[i]
            box.count += 1
        return box.count

    same(fill, (noise(9), {}, Box()), (noise(6), {"sum": 2.0}, Box()))

    def decide(x: Array, table: dict[str, Any]) -> Any:
        for i in range(x.shape[0]):
            if x[i] > 0:
                table["last"] = i
        return len(table)

    same(decide, (noise(9), {}), (-np.abs(noise(9)), {}), one_program=False)


counter = 0


def test_globals_changed_in_the_body() -> None:
    def count(x: Array) -> Any:
        global counter
        for i in range(x.shape[0]):
            counter += 1
            x[i] += 1
        return counter

    global counter
    counter = 0
    accelerated: Any = accelerate(count)
    assert [accelerated(noise(9)), accelerated(noise(6)), accelerated(noise(9))] == [9, 15, 24]
    assert counter == 24
    error = refused(count, noise(9))
    assert counter == 24 and "global" in error.why


def test_exceptions_handled_inside() -> None:
    def careful(x: Array, n: int) -> Any:
        missed = 0
        for i in range(n):
            try:
                x[i] += 1
            except IndexError:
                missed += 1
        return missed

    accelerated: Any = accelerate(careful)
    for n in (6, 9, 12, 6):
        plain, own = noise(9), noise(9)
        assert careful(plain, n) == accelerated(own, n)
        assert (plain == own).all()

    def everything(x: Array) -> Any:
        try:
            return float(x.sum()) if x.sum() > 0 else str(x.sum())
        except BaseException:  # noqa: BLE001
            return 3

    same(everything, (ramp(9),), (-ramp(9),), one_program=False)

    def inside(x: Array) -> Any:
        s = 0.0
        for i in range(x.shape[0]):
            try:
                s += x[i]
                if x[i] > 2:
                    str(x)
            except BaseException:  # noqa: BLE001
                s = -100.0
        return s

    same(inside, (ramp(9),), (-ramp(9),), one_program=False)

    def cleanly(x: Array) -> Any:
        s = 0.0
        for i in range(x.shape[0]):
            try:
                s += x[i]
            finally:
                s *= 0.5
        return s

    same(cleanly, (noise(9),))


def test_errors_raised_inside() -> None:
    def checked(x: Array) -> Any:
        for i in range(x.shape[0]):
            if x[i] < 0:
                raise ValueError(f"negative at {i}")
            x[i] = math.sqrt(x[i])
        return x

    accelerated: Any = accelerate(checked)
    for _ in range(2):
        x = ramp(9)
        np.testing.assert_allclose(accelerated(x), np.sqrt(ramp(9)), rtol=1e-15)
        np.testing.assert_allclose(x, np.sqrt(ramp(9)), rtol=1e-15)
        # The function runs in pieces: what it has written so far is not written to the argument.
        x = noise(9)
        with pytest.raises(ValueError, match="negative at 1"):
            accelerated(x)
        assert (x == noise(9)).all()


def test_arrays_that_shrink() -> None:
    def mandelbrot(c: Array, n: int) -> Any:
        z = np.zeros_like(c)
        out = np.zeros(c.shape[0], dtype=int)
        index = np.arange(c.shape[0])
        for k in range(n):
            z = z * z + c
            keep = np.abs(z) < 2
            out[index[~keep]] = k
            z, c, index = z[keep], c[keep], index[keep]
        return out

    c = 2 * noise(20) + 1j * noise(20, seed=1)
    same(mandelbrot, (c, 9), (c, 6), (c[:0], 6))

    def halves(x: Array) -> Any:
        rounds = 0
        while x.shape[0] > 1:
            x = x[: x.shape[0] // 2] + x[x.shape[0] - x.shape[0] // 2 :]
            rounds += 1
        return x.sum(), rounds

    same(halves, (noise(16),), (noise(13),), (noise(1),))


def test_no_source() -> None:
    space: dict[str, Any] = {}
    exec(
        "def total(x, n):\n    s = 0.0\n    for i in range(n):\n        s += x[i]\n    return s\n"
        "def until(x):\n    n = 0\n    while x.max() > 0.1:\n        x *= 0.5\n        n += 1\n    return n\n",
        space,
    )
    same(space["total"], (noise(9), 9), (noise(9), 5))
    same(space["until"], (noise(9),), one_program=False)
    error = refused(space["until"], noise(9))
    assert "while" in str(error) or "branch" in error.why
    assert "the loops and branches of until stay in Python" in str(error)


def test_generators_and_iterators() -> None:
    def over(x: Array, n: int) -> Any:
        return sum(x[i] * i for i in range(n))

    same(over, (noise(9), 9))

    def reverse(x: Array) -> Any:
        total = 0.0
        for i in reversed(range(x.shape[0])):
            total = total / 2 + x[i]
        for value in iter(x):
            total += value
        return total

    same(reverse, (noise(9),))


def test_random_numbers_in_the_body() -> None:
    def walk(x: Array, rng: Any) -> Any:
        for i in range(x.shape[0]):
            x[i] += rng.random()
        return x.sum()

    plain, own = noise(9), noise(9)
    accelerated: Any = accelerate(walk)
    for k in range(2):
        assert walk(plain, np.random.default_rng(k)) == accelerated(own, np.random.default_rng(k))
        np.testing.assert_allclose(plain, own, rtol=1e-15)

    def legacy(x: Array) -> Any:
        for i in range(x.shape[0]):
            x[i] += np.random.gamma(2.0)
        return x.sum()

    state = np.random.get_state()[1].copy()  # type: ignore[index]
    error = refused(legacy, noise(9))
    assert (error.file, error.line) == line(legacy, 2)
    assert (np.random.get_state()[1] == state).all()  # type: ignore[index]


# -- strict -----------------------------------------------------------------------------------------------------


def test_strict_functions_run() -> None:
    @lazyarr.accelerate(strict=True)
    def total(x: Array, n: int) -> Any:
        """A sum."""
        s = 0.0
        for i in range(n):
            s += x[i]
        return s

    assert total(ramp(9), 9) == 36 and total.__doc__ == "A sum." and total.strict  # type: ignore[attr-defined]
    assert total(ramp(9), 3) == 3
    assert lazyarr.accelerate(total).strict  # type: ignore[attr-defined]
    stricter: Any = lazyarr.accelerate(lazyarr.accelerate(lambda x: x), strict=True)
    assert stricter.strict


def test_strict_is_an_error_before_anything_has_happened() -> None:
    def write(x: Array, log: list[Any]) -> Any:
        x[0] = 5
        log.append(1)
        if x.sum() > 3:
            log.append(2)
        return float(np.sum(x)) + len(repr(x))

    x, log = ramp(3), [0]
    error = refused(write, x, log)
    assert (x == ramp(3)).all() and log == [0]
    assert issubclass(StrictError, lazyarr.FallbackError)
    assert str(error).startswith("tests/test_loops_left_out.py:") or "test_loops_left_out.py:" in str(error)
    assert "write does not run as one compiled program" in str(error)


def test_strict_says_what_to_do() -> None:
    def measure(x: Array) -> Any:
        print(x.sum())

    assert "-> print what the function returns" in str(refused(measure, ramp(3)))


def test_strict_and_arguments_that_are_not_compiled() -> None:
    def total(x: Any) -> Any:
        return x.sum()

    error = refused(total, np.ma.masked_array([1.0, 2.0], [True, False]))
    assert (error.file, error.line) == line(total, 0) and "MaskedArray" in error.why

    def several(x: Any) -> Any:
        yield x

    with pytest.raises(StrictError, match="generator"):
        accelerate(several, strict=True)(ramp(3))


def test_strict_and_calls_that_numpy_runs() -> None:
    def roots(x: Array) -> Any:
        return np.vectorize(math.sqrt)(x)

    error = refused(roots, ramp(3))
    assert (error.file, error.line) == line(roots, 1) and "vectorize" in error.why


def test_strict_and_a_guard_that_fails() -> None:
    def power(x: Array, n: int) -> Any:
        x[0] = 50
        total = 0
        for i in range(n):
            total += 10 ** int(x[i])
        return total

    accelerated: Any = accelerate(power, strict=True)
    x = ramp(25)
    x[0] = 0
    expected = 10**50 + sum(10**i for i in range(1, 25))
    assert power(x.copy(), 25) == expected
    lazyarr.report().clear()
    for _ in range(12):
        with pytest.raises(StrictError, match="an integer power fits 64 bits") as caught:
            accelerated(x, 25)
        assert x[0] == 0
    assert (caught.value.file, caught.value.line) == line(power, 4)
    [guard] = lazyarr.report().guards
    assert (guard.file, guard.line, guard.times) == (*line(power, 4), 12) and "fits 64 bits" in guard.what
    assert "Guards of compiled programs that failed" in str(lazyarr.report())
    lazyarr.report().clear()
    assert lazyarr.report().guards == ()


def test_strict_leaves_numpys_errors_to_numpy() -> None:
    def beyond(x: Array, n: int) -> Any:
        for i in range(n):
            x[i] += 1
        return x

    accelerated: Any = accelerate(beyond, strict=True)
    for _ in range(12):
        x = ramp(6)
        with pytest.raises(IndexError, match="index 6 is out of bounds"):
            accelerated(x, 8)
        assert (x == ramp(6)).all()
    assert (accelerated(ramp(6), 6) == ramp(6) + 1).all()

    def wrong(x: Array) -> Any:
        x[0] = 7
        return x + np.zeros(5)

    x = ramp(3)
    with pytest.raises(ValueError, match="broadcast"):
        accelerate(wrong, strict=True)(x)
    assert x[0] == 0


def test_strict_counts_for_the_outer_function(capsys: pytest.CaptureFixture[str]) -> None:
    @accelerate(strict=True)
    def inner(x: Array) -> Any:
        print("inner")
        return x.sum()

    def outer(x: Array) -> Any:
        return inner(x)

    assert accelerate(outer)(ramp(3)) == 3.0
    assert capsys.readouterr().out == "inner\n"
    with pytest.raises(StrictError):
        inner(ramp(3))


def test_strict_functions_are_explained() -> None:
    def measure(x: Array) -> Any:
        print(x.sum())
        return 2

    accelerated: Any = accelerate(measure, strict=True)
    assert accelerated.explain(ramp(3)).mode == "pieces"


def test_values_that_differ_at_every_call() -> None:
    def scaled(x: Array, name: str) -> Any:
        return x * len(name)

    accelerated: Any = accelerate(scaled, strict=True)
    for n in range(40):
        assert (accelerated(ramp(3), "a" * n) == ramp(3) * n).all()
        assert accelerated(ramp(n), "a").shape == (n,)


def test_what_is_not_evaluated_is_not_evaluated_between_pieces() -> None:
    def program(a: Array, seen: list[float]) -> Any:
        k: Any
        m: Any
        n: Any
        for i in range(6):
            e = a[i]
            c = 0
            while c < 3 and e > 0:
                c += 1
            if e < 50.0:
                k = k if c == 0.25 else 3  # noqa: F821
                m = c == 0.25 and m  # noqa: F821
                n = c != 0.25 or n  # noqa: F821
            seen.append(c)
        return a.sum(), k, m, n, seen

    plain = program(np.arange(20000.0), [])
    assert lazyarr.accelerate(program)(np.arange(20000.0), []) == plain


def test_many_pieces_of_small_arrays_run_in_numpy() -> None:
    def sign_changes(x: Array) -> Any:
        found = []
        for i in range(30):
            if x[i] * x[i + 1] < 0:
                found.append([None, i])
        return found

    x = noise(40)
    accelerated: Any = accelerate(sign_changes)
    for _ in range(2):
        assert accelerated(x) == sign_changes(x)
    assert accelerated._plain and programs(accelerated) == 0


def test_what_has_acted_on_the_world_is_not_begun_again(capsys: pytest.CaptureFixture[str]) -> None:
    def shown(x: Array) -> Any:
        total = 0.0
        for i in range(40):
            if x[i] > 0:
                print("positive", i)
                total += 1.0
        return total

    x = noise(40)
    shown(x)
    wanted = capsys.readouterr().out
    for _ in range(2):
        assert accelerate(shown)(x) == (x > 0).sum()
        assert capsys.readouterr().out == wanted


def test_the_first_error_between_pieces_is_numpys() -> None:
    def change(w: Array) -> Any:
        w[0] /= w[5:][(w[5:] < w[0])].sum() * -1.5
        k = 2 + k  # type: ignore[has-type]  # noqa: F821  an error that comes second
        return k

    def late(a: Array) -> Any:
        for _ in range(len(a)):
            change(a)
        return a

    for function in (late, accelerate(late)):
        with pytest.raises(OverflowError):
            function(np.array([3, -1, 7, 2, 6]))


def test_what_runs_last_is_not_begun_again() -> None:
    def many(x: Array) -> Any:
        found = []
        for i in range(40):
            y = x * i
            if x[i % 5] > i / 40:
                found.append(y.sum())
        return found, x.copy()

    x = np.abs(noise(5))
    for count in range(1, 40):
        def some(x: Array, count: int = count) -> Any:
            return [i for i in range(count) if x[i % 5] > 0], x * 2

        assert_same(some(x), accelerate(some)(x))
    assert_same(many(x), accelerate(many)(x))


def test_a_truth_of_two_kinds_is_returned() -> None:
    def either(x: Array, n: int) -> Any:
        return x[0] > 0 and x.sum(), x[1] or n

    x = noise(5)
    for signs in ([1, 1], [1, -1], [-1, 0]):
        y = np.abs(x)
        y[:2] *= signs
        assert_same(either(y, 3), accelerate(either)(y, 3))


def test_many_pieces_that_compute_little_run_in_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    from lazyarr.tracing import trace

    def way_back(costs: Array) -> Any:
        way = []
        i, j = costs.shape[0] - 1, costs.shape[1] - 1
        while i > 0 and j > 0:
            way.append([None, i, j])
            if costs[i - 1, j] < costs[i, j - 1]:
                i -= 1
            else:
                j -= 1
        return way

    monkeypatch.setattr(trace, "_LONGEST_SMALL", 0.0)
    costs = noise(130, 120)  # more elements than NumPy's calls are cheap for: it is the work that is little
    accelerated: Any = accelerate(way_back)
    for _ in range(2):
        assert_same(way_back(costs), accelerated(costs))
    assert "little is computed" in next(iter(accelerated._plain.values()))
