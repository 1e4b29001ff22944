"""Loops with reductions, and loops that data ends: their arrays go ahead, and come back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lazyarr.backends.numpy import interpret
from lazyarr.communication import plan
from lazyarr.cost_model import CostModel
from lazyarr.ir.layout import default
from lazyarr.passes.insert_communication import decide
from tests.ranks import distributed
from tests.test_ranks import captured, compiled

GRIDS = [(3,), (4,), (2, 2)]
SPLIT = 64


def recorded(u: Any, steps: int) -> Any:
    most, least = np.zeros(steps), np.zeros(steps)
    for i in range(steps):
        u[1:-1, 1:-1] += 0.2 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1])
        most[i] = u.max()
        least[i] = np.abs(u - 0.1).min()
    return u, most, least


def counted(u: Any, steps: int) -> Any:
    """Numbers of several kinds, among them one that the arrays need too."""
    t, above, any_above = 0.0, 0, np.bool_(False)
    for i in range(3, 3 + steps):
        u[1:-1] += 0.1 * (u[2:] + u[:-2] - 2 * u[1:-1]) + t * 0.01 + i * 0.001
        t += 0.25
        above += int((u > 0.2).sum()) * i
        any_above = any_above | (u > t).any()
    return u, t, above, any_above


def jacobi(u: Any, limit: float) -> Any:
    change, n = np.abs(u).max() + 1.0, 0
    while change > limit:
        new = u.copy()
        new[1:-1, 1:-1] = 0.25 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2])
        change = np.abs(new - u).max()
        u = new
        n += 1
    return u, n, change


def in_place(u: Any, limit: float) -> Any:
    n = 0
    while True:
        old = u.copy()
        u[1:-1, 1:-1] = 0.25 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2])
        n += 1
        if np.abs(u - old).max() < limit:
            break
    return u, n


def broken(u: Any, limit: float) -> Any:
    for n in range(37):  # noqa: B007
        new = u.copy()
        new[1:-1] = 0.5 * (u[2:] + u[:-2])
        change = np.abs(new - u).max()
        u = new
        if change < limit:
            break
    return u, n, change


def in_time(u: Any, end: float) -> Any:
    """Numbers alone end it."""
    t, n = 0.0, 0
    while t < end * 10:
        u[1:-1] += 0.2 * (u[2:] + u[:-2] - 2 * u[1:-1]) * (1 + t)
        t += 0.037
        n += 1
    return u, n, t


COUNTED = [recorded, counted]
BY_DATA = [jacobi, in_place, broken, in_time]


def program_of(function: Any, shape: tuple[int, int], ends: Any) -> tuple[Any, list[Any], list[int]]:
    program, given = captured(function, np.random.default_rng(3).random(shape) * 0.3, ends)
    split = [k for k, v in enumerate(program.graph.params) if v.type.size >= SPLIT and v.type.shape]
    return program, given, split


def deepened(program: Any, grid: tuple[int, ...]) -> Any:
    params = program.graph.params
    layout = {v: default(v.type.shape, grid) for v in params if v.type.shape and v.type.size >= SPLIT}
    return decide(program, grid, SPLIT, layout)


def check(program: Any, given: list[Any], split: list[int], grid: tuple[int, ...], run: Any = interpret) -> Any:
    wanted = interpret(program.graph, given)
    found, locals, world = distributed(program, given, grid, run, least=SPLIT, split=split)
    for rank in found:
        for have, want in zip(rank, wanted, strict=False):
            np.testing.assert_array_equal(have, want)
    return locals, world


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("function", COUNTED)
@pytest.mark.parametrize("steps", [1, 7, 32])
def test_counted_loops_have_the_bits_of_one_rank(function: Any, steps: int, grid: tuple[int, ...]) -> None:
    program, given, split = program_of(function, (197, 90), steps)
    check(program, given, split, grid)
    if steps > 3:  # (Fewer are not a loop any more.)
        assert deepened(program, grid).layouts.deep


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("function", BY_DATA)
@pytest.mark.parametrize("limit", [2.0, 0.2, 0.02, 0.006, 0.0])
def test_loops_that_data_ends_end_where_they_would(function: Any, limit: float, grid: tuple[int, ...]) -> None:
    if limit == 0.0 and function in (jacobi, in_place):
        limit = 0.003
    program, given, split = program_of(function, (61, 50), limit)
    check(program, given, split, grid)


@pytest.mark.parametrize("function", BY_DATA)
def test_compiled_ones_too(function: Any) -> None:
    program, given, split = program_of(function, (61, 50), 0.01)
    check(program, given, split, (2,), compiled)


@pytest.mark.parametrize("rows", [5, 6, 8, 9, 12, 19])
@pytest.mark.parametrize("function", [counted, jacobi, broken])
def test_blocks_of_few_rows(function: Any, rows: int) -> None:
    program, given, split = program_of(function, (rows, 40), 9 if function is counted else 0.02)
    for grid in ((3,), (4,), (2, 2)):
        check(program, given, split, grid)


@pytest.mark.parametrize("ranks", [2, 3])
def test_an_exchange_and_a_reduction_for_several_iterations(ranks: int) -> None:
    program, given, split = program_of(recorded, (64 * ranks, 20), 32)
    _, world = check(program, given, split, (ranks,))
    (depth,) = set(deepened(program, (ranks,)).layouts.deep.values())
    assert depth >= 4
    (_, found, counts) = distributed(program, given, (ranks,), interpret, least=SPLIT, split=split, gathered=())
    assert len(found) == ranks
    made = plan(program, (ranks,), SPLIT)
    assert made.messages == max(len(sent) for sent in counts.sent.values())
    assert made.bytes == max(sum(size for _, size in sent) for sent in counts.sent.values())
    reduced = [size for kind, size in world.sent[0,] if kind == "all_reduce"]
    assert reduced == [depth * 8] * (2 * 32 // depth)


def test_fewer_stops_until_it_is_still() -> None:
    program, given, split = program_of(jacobi, (256, 20), 0.002)
    _, world = check(program, given, split, (2,))
    iterations = int(interpret(program.graph, given)[1])
    reduced = [size for kind, size in world.sent[0,] if kind == "all_reduce"]
    assert iterations > 32
    assert len(reduced) < iterations / 3


def test_arrays_whose_copies_cost_more_than_messages_stop_at_each_iteration() -> None:
    program, _, _ = program_of(jacobi, (64, 20), 0.02)
    layout = {v: default(v.type.shape, (2,)) for v in program.graph.params if v.type.shape}
    for latency, ahead in ((1e-5, True), (1e-9, False)):
        model = CostModel(latency=latency, reduction=latency)
        assert bool(decide(program, (2,), SPLIT, layout, model=model).layouts.deep) is ahead


def test_arrays_that_need_what_is_reduced_wait_for_it() -> None:
    def scaled(u: Any, steps: int) -> Any:
        for _ in range(steps):
            u[1:-1] += 0.2 * (u[2:] + u[:-2] - 2 * u[1:-1])
            u /= np.abs(u).max()
        return u

    program, given, split = program_of(scaled, (64, 20), 9)
    assert deepened(program, (2,)).layouts.deep == {}
    check(program, given, split, (2,))


def test_a_number_of_a_later_iteration_raises_nothing() -> None:
    """The arrays go ahead of the loop's end; what would fail there is not asked."""

    def inverse(u: Any, limit: float) -> Any:
        n, inverse = 0, 0
        while n < limit * 100:
            u[1:-1] += 0.2 * (u[2:] + u[:-2] - 2 * u[1:-1])
            inverse += 840 // (7 - n)
            n += 1
        return u, inverse, u.max()

    program, given, split = program_of(inverse, (64, 20), 0.065)
    check(program, given, split, (2,))
