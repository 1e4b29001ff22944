"""Which loops have iterations that do not depend on each other: the proof, on programs and on inequalities."""

# Programs stand here as users write them.
# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False
from __future__ import annotations

import itertools
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lazyarr
from lazyarr.ir.rewrite import all_nodes
from lazyarr.passes.linear import Linear, impossible
from lazyarr.plans import plans

N = 12


def shared_by(program: Callable[..., Any], *given: Any) -> list[tuple[str, ...]]:
    """The attribute ``shared`` of a program's loops, in the order of nodes; results are compared with NumPy's."""
    expected_args = [np.array(a) if isinstance(a, np.ndarray) else a for a in given]
    expected = program(*expected_args)
    plans.clear()
    accelerated = lazyarr.accelerate(program)
    actual = accelerated(*given)
    for x, y in zip([expected, *expected_args], [actual, *given], strict=True):
        np.testing.assert_equal(y, x)
    [plan] = plans._plans.values()
    return [node.kw.get("shared", ()) for node in all_nodes(plan.after.graph) if node.op.name == "loop"]


def vectors() -> tuple[Any, ...]:
    return np.zeros(2 * N), np.arange(2.0 * N) * 1.5, np.arange(2 * N)[::-1].copy()


def each(y, x, k):
    for i in range(N):
        y[i] = x[i] * 2


def apart(y, x, k):
    for i in range(N):
        y[2 * i] = x[i]
        y[2 * i + 1] = -x[i]


def backwards(y, x, k):
    for i in range(N - 1, -1, -1):
        y[i + 1] = x[i]


def by_steps(y, x, k):
    for i in range(0, 2 * N, 3):
        y[i : i + 3] = x[i] + i


def from_the_end(y, x, k):
    for i in range(N):
        y[-1 - i] = x[i]


def upper_from_lower(y, x, k):
    for i in range(N):
        y[i] = y[12 + i] + x[i]


def reads_where_data_says(y, x, k):
    for i in range(N):
        y[i] = x[k[i]]


def slices_of_constants(y, x, k):
    for i in range(N):
        y[i] = x[:i] @ x[:i]


def guarded(y, x, k):
    for i in range(N):
        if x[i] > 3.0:
            y[i] = x[i]


def walks(y, x, k):
    for i in range(N):
        z = x[i]
        while z > 1.0:
            z = z / 2
        y[i] = z


@pytest.mark.parametrize("program", [each, apart, backwards, by_steps, from_the_end, upper_from_lower,
                                     reads_where_data_says, slices_of_constants, guarded, walks])  # fmt: skip
def test_independent(program: Callable[..., Any]) -> None:
    assert shared_by(program, *vectors())[0]


def previous(y, x, k):
    for i in range(1, N):
        y[i] = y[i - 1] + x[i]


def following(y, x, k):
    for i in range(N):
        y[i] = y[i + 1] + x[i]


def overlapping_steps(y, x, k):
    for i in range(0, 2 * N - 4, 3):
        y[i : i + 4] = x[i]


def meets_in_the_middle(y, x, k):
    for i in range(2 * N):
        y[i] = y[2 * N - 1 - i] + 1


def wraps(y, x, k):
    for i in range(-2, N):
        y[i] = x[i] + y[2 * N - 1]


def writes_where_data_says(y, x, k):
    for i in range(N):
        y[k[i]] = x[i]


def starts_where_data_says(y, x, k):
    for i in range(N):
        y[k[i] : k[i] + 2] = x[i]


def whole(y, x, k):
    for i in range(N):
        y[i] = y.sum() + x[i]


def prefix(y, x, k):
    for i in range(1, N):
        y[i] = y[:i] @ x[:i]


def suffix_written(y, x, k):
    for i in range(N):
        y[i:] = y[i:] + x[i]


def doubled(y, x, k):
    for i in range(N):
        y[2 * i] = x[i]
        y[i] = x[i]


def twisted(y, x, k):
    z = y.copy()
    for i in range(N):
        y[i] = x[i]
        z[i] = y[0]
    return z


def float_sum(y, x, k):
    total = 0.0
    for i in range(N):
        total += x[i]
    return total


def running_largest(y, x, k):
    best = -1.0
    for i in range(N):
        best = max(best, x[i])
        y[i] = best


def ends_early(y, x, k):
    for i in range(N):
        if x[i] > 20:
            break
        y[i] = x[i]


def counted_places(y, x, k):
    count = 0
    for i in range(N):
        if x[i] > 3.0:
            y[count] = x[i]
            count += 1
    return count


@pytest.mark.parametrize("program", [previous, following, overlapping_steps, meets_in_the_middle, wraps,
                                     writes_where_data_says, starts_where_data_says, whole, prefix, suffix_written,
                                     doubled, twisted, float_sum, running_largest, ends_early,
                                     counted_places])  # fmt: skip
def test_dependent(program: Callable[..., Any]) -> None:
    assert shared_by(program, *vectors())[0] == ()


def symmetric(c, a):
    for i in range(N):
        for j in range(i + 1, N):
            c[i, j] = c[j, i] = a[i, j] * 2


def transposed_read(c, a):
    for i in range(N):
        for j in range(i):
            c[i, j] = c[j, i] + 1


def rows(c, a):
    for i in range(N):
        c[i, : i + 1] *= 0.5
        for k in range(N):
            c[i, : i + 1] += a[i, k] * a[: i + 1, k]


def shifted_rows(c, a):
    for i in range(1, N):
        c[i] = c[i] + c[i - 1] * a[i]


def columns(c, a):
    for i in range(N):
        for j in range(N):
            c[i, j] += a[i + 1 :, i] @ c[i + 1 :, j]


def test_nests() -> None:
    def matrices() -> tuple[Any, Any]:
        rng = np.random.default_rng(0)
        return rng.integers(0, 9, (N, N)) * 0.5, rng.integers(0, 9, (N, N)) * 0.5

    assert shared_by(symmetric, *matrices()) == [("parts",), ("parts",)]
    assert shared_by(transposed_read, *matrices()) == [("parts",), ("parts",)]
    assert shared_by(rows, *matrices())[0] == ("parts",)
    assert shared_by(shifted_rows, *matrices()) == [()]
    assert shared_by(columns, *matrices()) == [(), ("parts",)]


def test_numbers_that_are_folds() -> None:
    def program(y, x, k):
        total, most, count, best, at, last = 0, 0, 0, -1.0, 0, 0.0
        for i in range(N):
            total += int(k[i])
            if x[i] < 7.0:
                most += int(k[i])
                count += 1
            if x[i] > best:
                best, at = x[i], i
            last = x[i] * 2
        return total, most, count, best, at, last

    found = shared_by(program, *vectors())[0]
    assert found.count("exact") == 2 and found.count("add") == 1
    assert {"best", "kept", "last"} <= set(found)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_what_is_impossible_has_no_solution(data: st.DataObject) -> None:
    """Against all integers of a box."""
    numbers = st.integers(-3, 3)
    forms = [
        Linear(data.draw(st.integers(-6, 6)), tuple((u, c) for u in range(3) if (c := data.draw(numbers))))
        for _ in range(data.draw(st.integers(1, 6)))
    ]
    equal = data.draw(st.integers(0, 2))
    if not impossible(forms[equal:], forms[:equal]):
        return
    for point in itertools.product(range(-5, 6), repeat=3):
        values = [f.constant + sum(c * point[u] for u, c in f.terms) for f in forms]
        assert not (all(v == 0 for v in values[:equal]) and all(v >= 0 for v in values[equal:])), (forms, point)


def test_proofs() -> None:
    i, j, k = (Linear.of(u) for u in range(3))
    assert impossible([i.minus(j).shifted(-1), j.minus(i)])
    assert impossible([], [i.times(2).minus(j.times(2)).shifted(1)])
    # i * 5 + j with 0 <= j < 5 is the same for no two i.
    assert impossible([j, Linear(4).minus(j), k, Linear(4).minus(k), Linear.of(3).minus(i).shifted(-1)],
                      [i.times(5).plus(j).minus(Linear.of(3).times(5)).minus(k)])  # fmt: skip
    assert not impossible([j, Linear(5).minus(j), k, Linear(5).minus(k), Linear.of(3).minus(i).shifted(-1)],
                          [i.times(5).plus(j).minus(Linear.of(3).times(5)).minus(k)])  # fmt: skip


def test_a_number_that_many_branches_may_raise(tmp_path: Path) -> None:
    # Each of them doubles the ways by which the number at the end is made of that at the beginning.
    tests = "\n".join(f"        if x[i] > {k}:\n            n += {k % 3 + 1}" for k in range(60))
    source = f"def count(x):\n    n = 0\n    for i in range(len(x)):\n{tests}\n    return n\n"
    path = tmp_path / "counting.py"
    path.write_text(source)
    count = runpy.run_path(str(path))["count"]
    accelerated: Any = lazyarr.accelerate(count, always=True, strict=True)
    x = np.random.default_rng(0).random(500) * 60
    assert accelerated(x) == count(x)
