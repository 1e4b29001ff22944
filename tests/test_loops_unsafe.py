"""What only a check allows stays behind it: also where a loop never runs, and before the first iteration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from lazyarr.backends.native import compile
from lazyarr.ir.text import parse
from tests.loop_checks import Array

#: Addresses so far away that reading there would end the process.
FAR = (-9_999_999_999, 99_999_999_999)


def by_index(x: Any, table: Any, at: Any, times: Any, y: Any) -> Any:
    for i in range(int(times[0])):
        y[i] += 1
        y += x[at[1]]
    return y.sum()


def by_row(x: Any, table: Any, at: Any, times: Any, y: Any) -> Any:
    for _ in range(int(times[0])):
        y += np.sin(table[at[0]]) + np.sort(table[at[1]])
    return y.sum()


def by_slice(x: Any, table: Any, at: Any, times: Any, y: Any) -> Any:
    for _ in range(int(times[0])):
        y += x[at[0] :].sum() + x[: at[1]].sum() + x[at].sum()
    return y.sum()


def in_two_loops(x: Any, table: Any, at: Any, times: Any, y: Any) -> Any:
    for i in range(9):
        for j in range(int(times[0])):
            y[i] += table[at[1], j] * np.exp(table[at[0]]).sum()
    return y.sum()


def written(x: Any, table: Any, at: Any, times: Any, y: Any) -> Any:
    for _ in range(int(times[0])):
        z = x * 2
        z[at[1]] = 5.0
        y += z
    return y.sum()


def runs_for_sure(x: Any, table: Any, at: Any, times: Any, y: Any) -> Any:
    for i in range(9):
        y[i] += 1
        y += x[at[1]] + np.sin(table[at[0]]) + np.exp(x[at]).sum()
    return y.sum()


def while_(x: Any, table: Any, at: Any, times: Any, y: Any) -> Any:
    count = 0
    while count < times[0]:
        y += np.cos(table[at[0]]) * x[at[1]]
        count += 1
    return y.sum()


def without_a_loop_around(x: Any, table: Any, at: Any, times: Any, y: Any) -> Any:
    k = 0
    for i in range(8):
        k += int(at[i % 2])
    y += x[k // 8] + np.sin(table[k // 8])
    return y.sum()


PROGRAMS = [by_index, by_row, by_slice, in_two_loops, written, runs_for_sure, while_, without_a_loop_around]


@pytest.mark.filterwarnings("ignore::lazyarr.FallbackWarning")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_far_out_of_range(program: Callable[..., Any]) -> None:
    fast = accelerate(program)
    for at, times in (((1, 2), 7), (FAR, 0), (FAR, 0), ((1, 2), 0), (FAR, 3), ((-9, 8), 3), ((9, 2), 1), ((2, -10), 1)):
        outcomes = []
        for run in (program, fast):
            x, table = np.linspace(0, 1, 9), np.linspace(1, 2, 81).reshape(9, 9)
            y: Any = np.linspace(2, 3, 9)
            try:
                result: Any = float(run(x, table, np.array(at), np.array([times]), y))
            except IndexError as error:
                result, y = str(error), None
            outcomes.append((result, y))
        (expected, left), (found, changed) = outcomes
        assert found == pytest.approx(expected, rel=1e-14) if isinstance(expected, float) else found == expected
        if left is not None:
            np.testing.assert_allclose(changed, left, rtol=1e-14)


def test_what_iterations_check_alike_is_checked_before() -> None:
    fast: Any = accelerate(strict=True)(runs_for_sure)
    arguments = np.linspace(0, 1, 9), np.ones((9, 9)), np.array([1, 2]), np.array([1]), np.ones(9)
    (piece,) = fast.explain(*arguments).pieces
    (loop,) = (n for r in piece.after.graph.nodes for n in r.kw["body"].nodes if n.op.name == "loop")
    body = loop.kw["body"]
    assert not body.checks
    assert {"sin", "exp", "gather"}.isdisjoint(n.op.name for n in body.nodes)


def test_an_index_that_is_known_to_be_out_of_range_reads_no_other_memory() -> None:
    """It stands in what NumPy does not get to; what is read does not matter."""
    program = compile(parse("""graph(%0: f32[3,3]) {
  %1 = const() {value=i64(1)} : i64[]
  %2 = const() {value=i64(6)} : i64[]
  %3 = window(%0, %1, %2) {dims=(("index",), ("index",))} : f32[]
  return %3
}"""))
    x = np.arange(9, dtype=np.float32).reshape(3, 3)
    assert program([x])[0] in x


def test_names_that_an_inner_loop_exchanges_on_data_keep_their_memory() -> None:
    def function(a: Array, c: Array) -> Array:
        v = np.zeros(5)
        for i in range(3):
            v[i] -= 1
            for j in range(2):
                if c[i, j] < 0:
                    a, v = v, a
        return v

    for step in (1, -1):
        accelerated: Any = accelerate(function)
        for seed in range(8):
            c, base = np.random.default_rng(seed).normal(size=(3, 2)), np.arange(5.0)
            plain, own = base.copy(), base.copy()
            np.testing.assert_array_equal(accelerated(own[::step], c), function(plain[::step], c))
            np.testing.assert_array_equal(own, plain)
