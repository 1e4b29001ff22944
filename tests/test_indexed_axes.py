"""Arrays that a loop takes one index after another: each rank has its part of all of these, and nothing is sent."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lazyarr import communication
from lazyarr.closed_forms import blank
from lazyarr.ir.layout import default
from lazyarr.ir.types import parse
from lazyarr.passes.indexed_axes import indexed_axes, layout_beside
from lazyarr.tracing.accelerated import Accelerated
from lazyarr.tracing.explain import explain

SPLIT_ABOVE = 1000


def rows(x: Any) -> Any:
    a = np.zeros((31, x.size))
    a[0] = x
    for k in range(30):
        a[k + 1] = a[k] + 0.01 * np.sin(a[k])
    return a


def columns(x: Any) -> Any:
    a = np.zeros((x.size, 31))
    a[:, 0] = x
    for k in range(30):
        a[:, k + 1] = a[:, k] * 0.5
    return a.mean(axis=1)


def written_out(x: Any) -> Any:
    a = np.zeros((13, x.size))
    a[0] = x
    a[1] = a[0] * 2
    a[2] = a[1] * 2
    a[3] = a[2] * 2
    a[4] = a[3] * 2
    a[5] = a[4] * 2
    a[6] = a[5] * 2
    a[7] = a[6] * 2
    a[8] = a[7] * 2
    return a


def borders(x: Any) -> Any:
    a = np.zeros((2000, 300))
    for _ in range(20):
        a[1:-1] = 0.5 * (a[2:] + a[:-2]) + x[0]
        a[0] = a[1]
        a[-1] = a[-2]
    return a


def of_points(x: Any) -> Any:
    a = np.zeros((2000, 3))
    for k in range(1999):
        a[k + 1] = a[k] + x[k]
    return a


def norms(a: Any) -> Any:
    found = np.zeros(a.shape[1])
    for j in range(a.shape[1]):
        found[j] = np.sqrt((a[:, j] ** 2).sum())
    return found


def recorded(function: Any, given: Any = None) -> Any:
    given = np.linspace(0, 1, 2000) if given is None else given
    (piece,) = explain(Accelerated(function), (given,), {}, strict=True).pieces
    return piece.before


def first_split(function: Any) -> int | None:
    """The axis along which the array that a function makes is split."""
    graph = recorded(function).graph
    (made,) = [node.values[0] for node in graph.nodes if node.op.name == "broadcast"]
    layout = layout_beside(made.type.shape, (2,), indexed_axes(graph).get(made, frozenset()))
    return next((axis for axis, split in enumerate(layout) if split is not None), None)


@pytest.mark.parametrize("function", [rows, columns, written_out])
@pytest.mark.parametrize("grid", [(2,), (5,)])
def test_histories_send_nothing(function: Any, grid: tuple[int, ...]) -> None:
    plan = communication.plan(recorded(function), grid, SPLIT_ABOVE)
    assert plan.messages == 0
    alone = communication.plan(recorded(function), (1,), SPLIT_ABOVE)
    assert plan.memory < 1.2 * alone.memory / grid[0]


def test_which_axis_is_split() -> None:
    assert [first_split(f) for f in (rows, columns, written_out, borders, of_points)] == [1, 0, 1, 0, 0]


def test_an_axis_that_is_taken_is_split_where_no_other_is_long() -> None:
    both = frozenset((0, 1))
    assert layout_beside((400, 500), (2,), both) == default((400, 500), (2,))
    assert layout_beside((400, 500), (2,), frozenset((0,))) != default((400, 500), (2,))
    assert layout_beside((400, 500), (2, 2), frozenset((0,))) == default((400, 500), (2, 2))


@pytest.mark.parametrize(("rows", "kind"), [(400, "exchange"), (400_000, "all_reduce")])
def test_a_loop_that_waits_for_others_longer_than_it_works_is_done_whole(rows: int, kind: str) -> None:
    plan = communication.plan(recorded(norms, blank(parse(f"f64[{rows},30]"))), (2,), SPLIT_ABOVE)
    assert {step.what for step in plan.steps} == {kind}
    assert plan.messages == (1 if kind == "exchange" else 30)
