"""Loops of which several iterations share an exchange, and exchanges that several arrays share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lazyarr.backends.numpy import interpret
from lazyarr.ir.layout import default
from lazyarr.passes.insert_communication import decide
from tests.ranks import distributed
from tests.test_ranks import captured

GRIDS = [(2,), (3,), (2, 2)]
SPLIT = 64


def heat(u: Any, steps: int) -> Any:
    for _ in range(steps):
        u[1:-1, 1:-1] += 0.2 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1])
    return u


def exchanged(u: Any, v: Any, steps: int) -> Any:
    for _ in range(steps):
        v[1:-1, 1:-1] = 0.25 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2])
        u, v = v, u
    return u, v


def two_fields(h: Any, u: Any, steps: int) -> Any:
    for k in range(3, 3 + steps):
        u[1:-1] -= 0.1 * (h[2:] - h[:-2])
        h[1:-1] -= 0.1 * (u[2:] - u[:-2]) + k * 0.001
    return h


def wide(u: Any, steps: int) -> Any:
    for _ in range(steps):
        u[2:-2] = u[2:-2] + 0.05 * (u[4:] - 4 * u[3:-1] + 6 * u[2:-2] - 4 * u[1:-3] + u[:-4])
    return u


def with_fluxes(u: Any, c: Any, steps: int) -> Any:
    flux = np.zeros_like(u)
    before = np.zeros_like(u)
    for _ in range(steps):
        flux[1:] = c[1:] * (u[1:] - u[:-1])
        flux[:, 0] = flux[:, -2]
        change = flux[2:] - flux[1:-1]
        u[1:-1] += 1.5 * change - 0.5 * before[1:-1]
        before[1:-1] = change
    return u


def sum_beside(u: Any, steps: int) -> Any:
    total = 0.0
    for _ in range(steps):
        u[1:-1] += 0.2 * (u[2:] + u[:-2] - 2 * u[1:-1])
        total += u[0, 0]
    return u, total


PROGRAMS = [(heat, 1), (exchanged, 2), (two_fields, 2), (wide, 1), (with_fluxes, 2), (sum_beside, 1)]


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize(("function", "arrays"), PROGRAMS)
@pytest.mark.parametrize("steps", [1, 7, 32])
def test_results_have_the_bits_of_one_rank(
    function: Callable[..., Any], arrays: int, steps: int, grid: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(steps)
    program, given = captured(function, *(rng.random((97, 40)) * 0.3 for _ in range(arrays)), steps)
    split = [k for k, v in enumerate(program.graph.params) if v.type.shape]
    wanted = interpret(program.graph, given)
    found, _, _ = distributed(program, given, grid, interpret, least=SPLIT, split=split)
    for rank in found:
        for have, want in zip(rank, wanted, strict=False):
            np.testing.assert_array_equal(have, want)


@pytest.mark.parametrize(("function", "arrays", "constant"), [(heat, 1, 0), (two_fields, 2, 0), (with_fluxes, 2, 1)])
def test_one_message_a_neighbour_for_several_iterations_and_arrays(
    function: Callable[..., Any], arrays: int, constant: int
) -> None:
    """`constant`: the messages of what no iteration changes, before the loop."""
    rng = np.random.default_rng(0)
    program, given = captured(function, *(rng.random((128, 20)) * 0.3 for _ in range(arrays)), 32)
    split = [k for k, v in enumerate(program.graph.params) if v.type.shape]
    _, _, world = distributed(program, given, (2,), interpret, least=SPLIT, split=split, gathered=())
    given_layout = {v: default(v.type.shape, (2,)) for v in program.graph.params if v.type.shape}
    (depth,) = decide(program, (2,), SPLIT, given_layout).layouts.deep.values()
    assert depth > 1
    assert {len(sent) for sent in world.sent.values()} == {32 // depth + constant}
    # What is computed of a rank's half is never the whole.
    assert all(size < 64 * 20 * 8 for sent in world.sent.values() for _, size in sent)


def test_what_reads_elements_by_data_is_not_deepened() -> None:
    """Beyond the block there may be anything: an index that is made of it might be out of range."""

    def walk(u: Any, steps: int) -> Any:
        for _ in range(steps):
            u[1:-1] = u[:-2] * 0.5 + u[2:] * 0.25 + u[int(u[0, 0] * 3), 0]
        return u

    program, given = captured(walk, np.random.default_rng(0).random((64, 8)), 12)
    assert decide(program, (2,), SPLIT, {}).layouts.deep == {}
    assert decide(captured(heat, given[0], 12)[0], (2,), SPLIT, {}).layouts.deep
    wanted = interpret(program.graph, given)
    found, _, _ = distributed(program, given, (2,), interpret, least=SPLIT, split=[0])
    for rank in found:
        np.testing.assert_array_equal(rank[0], wanted[0])


@pytest.mark.parametrize("rows", [5, 6, 7, 8, 9, 12])
@pytest.mark.parametrize(("function", "arrays"), PROGRAMS)
def test_blocks_of_few_rows(function: Callable[..., Any], arrays: int, rows: int) -> None:
    """Ranks at the ends have nothing beside them: they exchange as all others do."""
    rng = np.random.default_rng(rows)
    program, given = captured(function, *(rng.random((rows, 40)) * 0.3 for _ in range(arrays)), 3)
    split = [k for k, v in enumerate(program.graph.params) if v.type.shape]
    wanted = interpret(program.graph, given)
    for grid in ((3,), (4,)):
        found, _, _ = distributed(program, given, grid, interpret, least=SPLIT, split=split)
        for rank in found:
            for have, want in zip(rank, wanted, strict=False):
                np.testing.assert_array_equal(have, want)


def one_sided(u: Any, steps: int) -> Any:
    for _ in range(steps):
        u[2:-2] = 0.25 * u[4:] + 0.3 * u[:-4]
        u[2:-2] = 0.25 * u[1:-3] + 0.3 * u[4:]
    return u


def rolled_and_windowed(u: Any, steps: int) -> Any:
    for _ in range(steps):
        u = 0.5 * np.roll(u, -1, 0) + 0.25 * u
        u[3:-3, 3:-3] = 0.25 * u[2:-4, 5:-1] + 0.3 * u[2:-4, 2:-4] - 0.1 * u[5:-1, 1:-5]
    return u


@pytest.mark.parametrize("grid", [(3,), (4,), (2, 2)])
@pytest.mark.parametrize("rows", [11, 13, 16, 20, 40])
@pytest.mark.parametrize("function", [one_sided, rolled_and_windowed])
def test_arrays_that_are_read_at_several_distances(
    function: Callable[..., Any], rows: int, grid: tuple[int, ...]
) -> None:
    """One exchange fills an array's room; what others bring is not put there."""
    program, given = captured(function, np.random.default_rng(rows).random((rows, 30)), 17)
    wanted = interpret(program.graph, given)
    found, _, _ = distributed(program, given, grid, interpret, least=SPLIT, split=[0])
    for rank in found:
        np.testing.assert_array_equal(rank[0], wanted[0])
