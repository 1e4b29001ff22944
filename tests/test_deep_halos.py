"""Loops of which several iterations share an exchange, and exchanges that several arrays share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lazyarr.backends.numpy import interpret
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


@pytest.mark.parametrize(("function", "arrays"), [(heat, 1), (two_fields, 2), (with_fluxes, 2)])
def test_one_message_a_neighbour_for_several_iterations_and_arrays(function: Callable[..., Any], arrays: int) -> None:
    rng = np.random.default_rng(0)
    program, given = captured(function, *(rng.random((128, 20)) * 0.3 for _ in range(arrays)), 32)
    split = [k for k, v in enumerate(program.graph.params) if v.type.shape]
    _, locals, world = distributed(program, given, (2,), interpret, least=SPLIT, split=split, gathered=())
    assert all(len(sent) <= 8 for sent in world.sent.values())
    # What is computed of a rank's half is never the whole.
    assert all(size < 64 * 20 * 8 for sent in world.sent.values() for _, size in sent)
    assert all(local.program.graph.nodes for local in locals)


def test_what_reads_elements_by_data_is_not_deepened() -> None:
    """Beyond the block there may be anything: an index that is made of it might be out of range."""

    def walk(u: Any, steps: int) -> Any:
        for _ in range(steps):
            u[1:-1] = u[:-2] * 0.5 + u[2:] * 0.25 + u[int(u[0, 0] * 3) % 5, 0]
        return u

    program, given = captured(walk, np.random.default_rng(0).random((64, 8)), 12)
    wanted = interpret(program.graph, given)
    found, _, _ = distributed(program, given, (2,), interpret, least=SPLIT, split=[0])
    for rank in found:
        np.testing.assert_array_equal(rank[0], wanted[0])
