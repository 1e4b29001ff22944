"""Loops that are periodic along a split axis: several iterations share an exchange with the other end too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lazyarr.backends.numpy import interpret
from lazyarr.communication import plan
from lazyarr.ir.graph import Graph, param
from lazyarr.ir.layout import default
from lazyarr.ir.types import ArrayType
from lazyarr.passes.choose_layout import choose_layout
from lazyarr.passes.extend_periodic import find
from lazyarr.passes.insert_communication import decide
from tests.ranks import distributed
from tests.test_ranks import captured

GRIDS = [(2,), (3,), (2, 2)]
SPLIT = 64


def rolled(u: Any, steps: int) -> Any:
    for _ in range(steps):
        u = u + 0.1 * (np.roll(u, 1, 0) + np.roll(u, -1, 0) + np.roll(u, 1, 1) + np.roll(u, -1, 1) - 4 * u)
    return u


def upwind(u: Any, steps: int) -> Any:
    for k in range(2, steps + 2):
        u = u - 0.3 * (u - np.roll(u, 1, 0)) + 0.01 * k
    return u


def downwind(u: Any, steps: int) -> Any:
    for _ in range(steps):
        u = u - 0.3 * (np.roll(u, -2, 0) - u)
    return u


def leapfrog(u: Any, v: Any, c: Any, steps: int) -> Any:
    for _ in range(steps):
        u, v = 2 * u - v + 0.2 * c * (np.roll(u, 1, 0) + np.roll(u, -1, 0) - 2 * u), u
    return u, v


def fields(h: Any, u: Any, c: Any, steps: int) -> Any:
    for k in range(steps):
        u = u - 0.1 * c * (np.roll(h, -1, 0) - np.roll(h, (1, 2), (0, 1))) + np.roll(c, 3, 0) * 0.01
        h = h - 0.1 * (u - np.roll(u, 1, 0)) + np.where(u > 0.2, h, k * 0.01) * 0.01
    return h, u


def wrapped(u: Any, steps: int) -> Any:
    for _ in range(steps):
        p = np.pad(u, 1, mode="wrap")
        u = u + 0.1 * (p[2:, 1:-1] + p[:-2, 1:-1] + p[1:-1, 2:] + p[1:-1, :-2] - 4 * u)
    return u


def inside(u: Any, steps: int) -> Any:
    """Periodic along rows alone; a wall on both sides."""
    for _ in range(steps):
        change = np.roll(u, 1, 0) + np.roll(u, -1, 0) - 2 * u
        u[:, 1:-1] += 0.1 * (change[:, 1:-1] + u[:, 2:] + u[:, :-2] - 2 * u[:, 1:-1])
    return u


def with_rows_largest(u: Any, steps: int) -> Any:
    for _ in range(steps):
        u = 0.5 * (np.roll(u, 1, 0) + u) - 0.1 * u.max(axis=1, keepdims=True)
    return u


PROGRAMS = [
    (rolled, 1), (upwind, 1), (downwind, 1), (leapfrog, 3), (fields, 3), (wrapped, 1), (inside, 1),
    (with_rows_largest, 1),
]  # fmt: skip


def program_of(function: Callable[..., Any], arrays: int, shape: tuple[int, int], steps: int) -> Any:
    rng = np.random.default_rng(steps)
    program, given = captured(function, *(rng.random(shape) * 0.3 for _ in range(arrays)), steps)
    return program, given, [k for k, v in enumerate(program.graph.params) if v.type.shape]


def deepened(program: Any, grid: tuple[int, ...]) -> Any:
    layout = {v: default(v.type.shape, grid) for v in program.graph.params if v.type.shape}
    return decide(program, grid, SPLIT, layout)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize(("function", "arrays"), PROGRAMS)
@pytest.mark.parametrize("steps", [1, 7, 32])
def test_results_have_the_bits_of_one_rank(
    function: Callable[..., Any], arrays: int, steps: int, grid: tuple[int, ...]
) -> None:
    program, given, split = program_of(function, arrays, (197, 150), steps)
    wanted = interpret(program.graph, given)
    found, _, _ = distributed(program, given, grid, interpret, least=SPLIT, split=split)
    for rank in found:
        for have, want in zip(rank, wanted, strict=False):
            np.testing.assert_array_equal(have, want)
    if steps > 1 and (function, grid) != (with_rows_largest, (2, 2)):  # (That reduces along a split axis.)
        decided = deepened(program, grid)
        assert decided.layouts.deep
        # The program that is split is the same one: on arrays with borders.
        for have, want in zip(interpret(decided.program.graph, given), wanted, strict=True):
            np.testing.assert_array_equal(have, want)


@pytest.mark.parametrize("rows", [5, 6, 8, 9, 19, 33])
@pytest.mark.parametrize(("function", "arrays"), PROGRAMS)
def test_blocks_of_few_rows(function: Callable[..., Any], arrays: int, rows: int) -> None:
    program, given, split = program_of(function, arrays, (rows, 40), 5)
    wanted = interpret(program.graph, given)
    for grid in ((4,), (2, 2)):
        found, _, _ = distributed(program, given, grid, interpret, least=SPLIT, split=split)
        for rank in found:
            for have, want in zip(rank, wanted, strict=False):
                np.testing.assert_array_equal(have, want)


@pytest.mark.parametrize("ranks", [2, 3, 4])
def test_an_exchange_for_several_iterations(ranks: int) -> None:
    program, given, split = program_of(rolled, 1, (64 * ranks, 20), 32)
    _, _, world = distributed(program, given, (ranks,), interpret, least=SPLIT, split=split, gathered=())
    (depth,) = set(deepened(program, (ranks,)).layouts.deep.values())
    assert depth >= 4
    # A message to each neighbour, and one to the other end.
    for sent in world.sent.values():
        assert len(sent) == 2 * 32 // depth
        assert all(size <= depth * 20 * 8 for _, size in sent)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("steps", [20, 32])
@pytest.mark.parametrize(("function", "arrays"), [(rolled, 1), (leapfrog, 3), (inside, 1)])
def test_predicted_messages_and_bytes_are_those_sent(
    function: Callable[..., Any], arrays: int, steps: int, grid: tuple[int, ...]
) -> None:
    program, given, split = program_of(function, arrays, (197, 150), steps)
    _, _, world = distributed(program, given, grid, interpret, least=SPLIT, split=split, gathered=())
    found = plan(program, grid, SPLIT)
    assert found.messages == max(len(sent) for sent in world.sent.values())
    assert found.bytes == max(sum(size for _, size in sent) for sent in world.sent.values())


def test_what_is_not_the_same_everywhere_is_not_extended() -> None:
    def placed(u: Any, steps: int) -> Any:
        for _ in range(steps):
            u = 0.5 * (np.roll(u, 1, 0) + u)
            u[3] = 1.0
        return u

    def numbered(u: Any, steps: int) -> Any:
        for _ in range(steps):
            u = 0.5 * (np.roll(u, 1, 0) + u) + np.arange(u.shape[0])[:, None] * 0.1
        return u

    for function in (placed, numbered):
        program, given, split = program_of(function, 1, (64, 40), 12)
        wanted = interpret(program.graph, given)
        found, _, _ = distributed(program, given, (2,), interpret, least=SPLIT, split=split)
        for rank in found:
            np.testing.assert_array_equal(rank[0], wanted[0])


def test_a_loop_that_reads_nothing_of_what_is_split() -> None:
    index, carried, beside = (param(k, ArrayType(np.dtype(d), s)) for k, (d, s) in enumerate(
        [("i8", ()), ("f8", (6,)), ("f8", (4, 6))]))  # fmt: skip
    body = Graph([index, carried, beside], [carried])
    assert find(body, 1, choose_layout(body, (2, 2), 1, inside=True)) is None
